import { Icon, type IconName } from "@/shared/ui/Icon";
import type { StateWords } from "./sentences";

const LOOKS: Readonly<Record<StateWords["tone"], { icon: IconName; className: string }>> = {
  live: { icon: "live", className: "text-moss" },
  wait: { icon: "wait", className: "text-hay" },
  off: { icon: "off", className: "text-soft" },
  bad: { icon: "bad", className: "text-rust" },
  past: { icon: "wait", className: "text-soft" },
};

/** The state in a word, with its colour and its icon: never by colour alone. */
export function StatePill({ words, solid = false }: { words: StateWords; solid?: boolean }) {
  const { icon, className } = LOOKS[words.tone];
  return (
    <span
      title={words.sentence}
      className={`inline-flex items-center gap-1.5 rounded-full py-1 pr-3 pl-2 text-[0.8125rem] font-semibold ${className} ${
        solid ? "bg-ground/75 backdrop-blur-sm" : "bg-raised"
      }`}
    >
      <Icon name={icon} size={16} className={words.tone === "wait" ? "breathe" : ""} />
      {words.word}
    </span>
  );
}

import { Icon } from "@/shared/ui/Icon";
import type { StateWords } from "@/shared/streams/sentences";
import type { LiveStatus } from "./liveController";

const WORDS: Readonly<Record<Exclude<LiveStatus["kind"], "playing" | "unplayable" | "unconverted">, string>> = {
  connecting: "Waiting for the picture",
  lost: "The connection is gone; calling again",
  refused: "This camera can not be watched: it was removed, or you are signed out.",
};

const ICONS = { live: "live", wait: "wait", off: "off", bad: "bad", past: "wait" } as const;
const COLOURS = { live: "", wait: "breathe text-hay", off: "", bad: "text-rust", past: "" } as const;

/** What the stage says while there is no moving picture: why, where the camera's state tells it (`trouble`). */
export function PlayerMessage({ status, trouble }: { status: LiveStatus; trouble: StateWords | null }) {
  if (status.kind === "unplayable" || status.kind === "unconverted") return null;
  const told = status.kind === "lost" || status.kind === "refused" ? null : trouble;
  const text = told?.sentence ?? (status.kind === "playing" ? null : WORDS[status.kind]);
  if (text === null) return null;
  const tone = told?.tone ?? (status.kind === "refused" ? "bad" : "wait");
  return (
    <div role="status" className="absolute inset-x-0 bottom-0 flex justify-center bg-gradient-to-t from-black/85 to-transparent p-4 pt-10">
      <span className="flex items-start gap-2.5 text-sm text-pretty text-soft">
        <Icon name={ICONS[tone]} size={18} className={`mt-px shrink-0 ${COLOURS[tone]}`} />
        {text}
      </span>
    </div>
  );
}

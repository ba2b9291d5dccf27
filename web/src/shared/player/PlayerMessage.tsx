import { Icon } from "@/shared/ui/Icon";
import type { LiveStatus } from "./liveController";

const WORDS: Readonly<Record<Exclude<LiveStatus["kind"], "playing" | "unplayable">, string>> = {
  connecting: "Waiting for the picture",
  lost: "The connection is gone; calling again",
  refused: "This camera can not be watched: it was removed, or you are signed out.",
};

/** What the stage says while there is no moving picture. */
export function PlayerMessage({ status }: { status: LiveStatus }) {
  if (status.kind === "playing" || status.kind === "unplayable") return null;
  return (
    <div role="status" className="absolute inset-x-0 bottom-0 flex justify-center bg-gradient-to-t from-black/80 to-transparent p-4 pt-10">
      <span className="flex items-center gap-2.5 text-sm text-soft">
        <Icon name={status.kind === "refused" ? "bad" : "wait"} size={18} className={status.kind === "refused" ? "" : "breathe text-hay"} />
        {WORDS[status.kind]}
      </span>
    </div>
  );
}

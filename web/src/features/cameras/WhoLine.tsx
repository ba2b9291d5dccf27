import { cssColor } from "@/shared/overlay/draw";
import { useWhoIsThere } from "@/shared/streams/useWhoIsThere";

/** Who is before the camera now, in a line. */
export function WhoLine({ streamId }: { streamId: string }) {
  const present = useWhoIsThere(streamId);
  if (present === null) return <p className="mt-0.5 text-sm text-muted">Nobody is looking yet</p>;
  if (present.length === 0) return <p className="mt-0.5 text-sm text-muted">No horse in sight</p>;
  return (
    <ul aria-label="In sight" className="mt-1 flex flex-wrap gap-x-3.5 gap-y-1 text-sm text-soft">
      {present.map(({ key, name, horse }) => (
        <li key={key} className="flex items-center gap-1.5">
          <span aria-hidden="true" className="size-2.5 rounded-full" style={{ background: cssColor(horse.color) }} />
          {name}
          {horse.certainty === "probable" && <span title="Probably">?</span>}
        </li>
      ))}
    </ul>
  );
}

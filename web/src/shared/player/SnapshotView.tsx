import { codecName } from "@/shared/media/codec";
import { SnapshotImage } from "./SnapshotImage";

interface SnapshotViewProps {
  streamId: string;
  name: string;
  mime: string;
  /** Why it is not converted either. */
  reason: string;
}

/** Over a stage whose video this browser can not decode: still pictures, and the reason in words. */
export function SnapshotView({ streamId, name, mime, reason }: SnapshotViewProps) {
  return (
    <div className="absolute inset-0 bg-black">
      <SnapshotImage streamId={streamId} alt={`Newest picture of ${name}`} everyMs={1000} className="object-contain" />
      <p role="status" className="absolute inset-x-0 bottom-0 bg-ground/85 px-4 py-3 text-sm text-pretty text-soft backdrop-blur-sm">
        This camera sends {codecName(mime)}, which this browser can not play, so you see still pictures. {reason} Everything is
        recorded as it comes.
      </p>
    </div>
  );
}

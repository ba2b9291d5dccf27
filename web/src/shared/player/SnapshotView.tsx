import { SnapshotImage } from "./SnapshotImage";

interface SnapshotViewProps {
  streamId: string;
  name: string;
  mime: string;
}

/** Over a stage whose video this browser can not decode: still pictures, and the reason in words. */
export function SnapshotView({ streamId, name, mime }: SnapshotViewProps) {
  const codec = /hvc1|hev1/.test(mime) ? "H.265 (HEVC)" : mime;
  return (
    <div className="absolute inset-0 bg-black">
      <SnapshotImage streamId={streamId} alt={`Newest picture of ${name}`} everyMs={1000} className="object-contain" />
      <p role="status" className="absolute inset-x-0 bottom-0 bg-ground/85 px-4 py-3 text-sm text-pretty text-soft backdrop-blur-sm">
        This camera sends {codec}, which this browser can not play, so you see still pictures. Everything is recorded as it
        comes. Safari plays it, and so does every browser if you set the camera to H.264.
      </p>
    </div>
  );
}

import { Link, useParams, useSearchParams } from "react-router";
import { useStream, useStreams } from "@/shared/streams/store";
import { Empty, ErrorNote, Loading } from "@/shared/ui/Notice";
import { WatchView } from "./WatchView";

/** One camera: live, or from the moment in `?t=` (seconds since 1970). */
export function CameraPage() {
  const { id = "" } = useParams();
  const [query] = useSearchParams();
  const stream = useStream(id);
  const { loaded, error } = useStreams();
  const seconds = Number(query.get("t") ?? Number.NaN);

  if (stream !== undefined) {
    return <WatchView key={id} stream={stream} startUs={Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1e6) : null} />;
  }
  if (error !== null) {
    return (
      <div className="p-4">
        <ErrorNote>{error}</ErrorNote>
      </div>
    );
  }
  if (!loaded) return <Loading label="Looking for the camera" />;
  return (
    <Empty
      icon="cameraOff"
      title="This camera is not here"
      action={
        <Link to="/" className="inline-flex min-h-11 items-center font-semibold text-hay hover:underline">
          See all cameras
        </Link>
      }
    >
      It was removed, or the link is not whole.
    </Empty>
  );
}

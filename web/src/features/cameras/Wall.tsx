import { useState } from "react";
import { useSession } from "@/shared/api/endpoints/session";
import { useStreams } from "@/shared/streams/store";
import { Button } from "@/shared/ui/Button";
import { Empty, ErrorNote, Loading } from "@/shared/ui/Notice";
import { AddCamera } from "./AddCamera";
import { CameraTile } from "./CameraTile";

/** All cameras. */
export function Wall() {
  const { streams, loaded, error } = useStreams();
  const admin = useSession((store) => store.session?.user.role === "admin");
  const [adding, setAdding] = useState(false);
  const live = streams.filter((stream) => stream.status === "active").length;
  const bad = streams.filter((stream) => stream.status === "error").length;

  return (
    <div className="flex flex-1 flex-col px-4 pb-10 sm:px-0">
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3 pt-2 pb-5 sm:pt-4">
        <div>
          <h1 className="font-display text-3xl font-semibold tracking-tight sm:text-4xl">Cameras</h1>
          {loaded && streams.length > 0 && (
            <p className="mt-1 text-muted">
              {live === streams.length ? `All ${streams.length} running` : `${live} of ${streams.length} running`}
              {bad > 0 && <span className="text-rust">{` · ${bad} ${bad === 1 ? "needs" : "need"} a look`}</span>}
            </p>
          )}
        </div>
        {admin && streams.length > 0 && (
          <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
            Add camera
          </Button>
        )}
      </div>
      {error !== null && (
        <div className="mb-5">
          <ErrorNote>{error}</ErrorNote>
        </div>
      )}
      {!loaded && error === null && <Loading label="Looking for cameras" />}
      {loaded && streams.length === 0 && (
        <Empty
          icon="camera"
          title="No camera yet"
          action={
            admin && (
              <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
                Add the first camera
              </Button>
            )
          }
        >
          {admin
            ? "Add a stable camera by its RTSP address, or a video file to try things out. BarnHand records it and looks after the horses it sees."
            : "An administrator has to add the cameras. They appear here by themselves."}
        </Empty>
      )}
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,24rem),1fr))] gap-4 sm:gap-5">
        {streams.map((stream) => (
          <li key={stream.id}>
            <CameraTile stream={stream} admin={admin} />
          </li>
        ))}
      </ul>
      {adding && <AddCamera onClose={() => setAdding(false)} />}
    </div>
  );
}

import { useRef, useState } from "react";
import { Link } from "react-router";
import type { Stream } from "@/shared/api/types";
import { Player } from "@/shared/player/Player";
import { SnapshotImage } from "@/shared/player/SnapshotImage";
import { describeState } from "@/shared/streams/sentences";
import { StatePill } from "@/shared/streams/StatePill";
import { nowUs } from "@/shared/time/format";
import { Icon } from "@/shared/ui/Icon";
import { CameraMenu } from "./CameraMenu";
import { WhoLine } from "./WhoLine";

const SNAPSHOT_MS = 2000;
/** The last picture of a camera that does not run changes only when it runs again. */
const LAST_PICTURE_MS = 60_000;
/** The pointer rests this long before a tile goes live, so that crossing the wall opens nothing (ms). */
const REST_MS = 350;

/** One camera on the wall: its newest picture, how it is, who is there. Live while the pointer rests on it. */
export function CameraTile({ stream, admin }: { stream: Stream; admin: boolean }) {
  const [watched, setWatched] = useState(false);
  const [picture, setPicture] = useState(false);
  const rest = useRef<ReturnType<typeof setTimeout> | null>(null);
  const words = describeState(stream, nowUs());
  const running = stream.status === "active";
  // Where nothing was ever recorded there is no picture to ask for.
  const pictures = running || (stream.recording ?? null) !== null;

  const enter = (kind: string) => {
    if (kind !== "mouse" || !running) return;
    rest.current = setTimeout(() => setWatched(true), REST_MS);
  };
  const leave = () => {
    if (rest.current !== null) clearTimeout(rest.current);
    setWatched(false);
  };

  return (
    <article
      className="relative h-full rounded-2xl border border-line bg-panel transition-colors hover:border-leather/70"
      onPointerEnter={(event) => enter(event.pointerType)}
      onPointerLeave={leave}
    >
      <Link to={`/cameras/${stream.id}`} className="block focus-visible:outline-offset-[-3px]">
        <div className="relative aspect-video overflow-hidden rounded-t-[0.9375rem] bg-[#0c0a09]">
          {!picture && (
            <span className="absolute inset-0 grid place-items-center text-line">
              <Icon name={stream.status === "inactive" ? "cameraOff" : "camera"} size={54} strokeWidth={1.2} />
            </span>
          )}
          {pictures && (
            <SnapshotImage
              streamId={stream.id}
              alt={`Newest picture of ${stream.name}`}
              everyMs={running ? SNAPSHOT_MS : LAST_PICTURE_MS}
              className={`object-cover ${running ? "" : "opacity-40 saturate-50"}`}
              onPicture={setPicture}
            />
          )}
          {watched && running && (
            <div className="absolute inset-0 grid place-items-center bg-black">
              <Player streamId={stream.id} name={stream.name} />
            </div>
          )}
          <span className="absolute top-3 left-3">
            <StatePill words={words} solid />
          </span>
        </div>
        <div className="p-4 pr-14">
          <h2 className="truncate font-display text-lg font-semibold">{stream.name}</h2>
          {running ? (
            <WhoLine streamId={stream.id} />
          ) : (
            <p className="mt-0.5 line-clamp-2 text-sm text-muted">{words.sentence}</p>
          )}
        </div>
      </Link>
      {admin && (
        <div className="absolute right-2 bottom-3">
          <CameraMenu stream={stream} />
        </div>
      )}
    </article>
  );
}

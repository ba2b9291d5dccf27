import { type Ref, useEffect, useImperativeHandle, useRef, useState } from "react";
import { useOverlaySettings } from "@/shared/overlay/layers";
import type { Horse } from "@/shared/overlay/observation";
import { type Painter, startPainter } from "@/shared/overlay/painter";
import { ObservationTimeline } from "@/shared/overlay/timeline";
import { Stage } from "@/shared/player/Stage";
import { Icon } from "@/shared/ui/Icon";
import { ObservationLoader } from "./observationLoader";
import { RecordedController, type RecordedStatus } from "./recordedController";

export interface RecordedHandle {
  seek: (us: number) => void;
  /** What was seen was corrected: ask for it again. */
  refresh: () => void;
}

interface RecordedPlayerProps {
  ref: Ref<RecordedHandle>;
  streamId: string;
  name: string;
  /** Where to begin (µs); later changes go through `seek`. */
  startUs: number;
  rate: number;
  paused: boolean;
  showOverlays: boolean;
  maxHeight: string;
  /** Wall time of the picture on screen, with every picture. */
  onTime: (us: number) => void;
  /** Horses of the picture on screen, about four times a second; `null` while nothing is known of it. */
  onHorses: (horses: Horse[] | null) => void;
  /** What the camera sent where it is shown converted because this browser can not play that, else `null`. */
  onConverted: (sourceMime: string | null) => void;
  /** The newest recording has come to its end. */
  onEnd: () => void;
}

/** Playback ticks come from the position in a chunk: rounding may be off by more than in live view (ticks, 5 ms). */
const TOLERANCE = 450;
const KEEP_S = 1800;
const TELL_MS = 250;

const WORDS: Readonly<Record<"loading" | "converting" | "nothing", string>> = {
  converting: "Converting the recording for this browser",
  loading: "Looking up the recording",
  nothing: "Nothing was recorded at this time. Choose a filled stretch on the timeline.",
};

/** Recordings through hls.js, with the overlay on the very picture it belongs to. */
export function RecordedPlayer(props: RecordedPlayerProps) {
  const { ref, streamId, name, startUs, rate, paused, showOverlays, maxHeight } = props;
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const controller = useRef<RecordedController | null>(null);
  const painter = useRef<Painter | null>(null);
  const observations = useRef<ObservationLoader | null>(null);
  const latest = useRef(props);
  const first = useRef(startUs);
  const [status, setStatus] = useState<RecordedStatus>({ kind: "loading" });
  const [aspect, setAspect] = useState(16 / 9);
  const waits = status.kind === "loading" || status.kind === "converting";
  const layers = useOverlaySettings((store) => store.layers);

  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    if (video.current === null || canvas.current === null) return;
    const timeline = new ObservationTimeline(KEEP_S, TOLERANCE);
    const recorded = new RecordedController(
      streamId,
      video.current,
      setStatus,
      (width, height) => setAspect(width / height),
      (mime) => latest.current.onConverted(mime),
      () => latest.current.onEnd(),
    );
    let told = 0;
    const loader = new ObservationLoader(streamId, timeline, () => {
      // A picture that stands still is told of once more, however short a while ago it was.
      told = 0;
      painter.current?.repaint();
    });
    controller.current = recorded;
    observations.current = loader;
    const brush = startPainter(
      video.current,
      canvas.current,
      {
        stream: streamId,
        ptsOf: (mediaTime) => {
          const wall = recorded.wallOf(mediaTime);
          if (wall !== null) {
            loader.ensure(wall);
            latest.current.onTime(wall);
          }
          return recorded.ptsOf(mediaTime);
        },
        known: (pts) => timeline.at(pts),
        trail: (track, pts, seconds) => timeline.trail(track, pts, seconds),
      },
      () => ({ layers: useOverlaySettings.getState().layers, visible: latest.current.showOverlays }),
      (known) => {
        if (performance.now() - told < TELL_MS) return;
        told = performance.now();
        latest.current.onHorses(known.kind === "nothing" ? null : known.horses);
      },
    );
    painter.current = brush;
    recorded.wantsPause = latest.current.paused;
    recorded.rate = latest.current.rate;
    loader.ensure(first.current);
    void recorded.seek(first.current);
    return () => {
      loader.close();
      brush.stop();
      recorded.close();
      painter.current = null;
      observations.current = null;
      controller.current = null;
    };
  }, [streamId]);

  useEffect(() => {
    if (controller.current === null) return;
    controller.current.rate = rate;
    controller.current.wantsPause = paused;
    controller.current.apply();
  }, [rate, paused]);

  useEffect(() => painter.current?.repaint(), [layers, showOverlays]);

  useImperativeHandle(
    ref,
    () => ({
      seek: (us) => void controller.current?.seek(us),
      refresh: () => {
        observations.current?.again();
        painter.current?.repaint();
      },
    }),
    [],
  );

  return (
    <Stage videoRef={video} canvasRef={canvas} aspect={aspect} label={`${name}, recording`} painted={showOverlays} maxHeight={maxHeight}>
      {status.kind !== "ready" && (
        <div role="status" className="absolute inset-x-0 bottom-0 flex justify-center bg-gradient-to-t from-black/85 to-transparent p-4 pt-12">
          <span className="flex items-center gap-2.5 text-sm text-pretty text-soft">
            <Icon name={waits ? "wait" : "bad"} size={18} className={waits ? "breathe text-hay" : "text-rust"} />
            {status.kind === "failed" ? status.message : WORDS[status.kind]}
          </span>
        </div>
      )}
    </Stage>
  );
}

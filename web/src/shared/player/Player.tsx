import { useEffect, useRef, useState } from "react";
import { useOverlaySettings } from "@/shared/overlay/layers";
import { TICKS } from "@/shared/overlay/observation";
import { type Painter, startPainter } from "@/shared/overlay/painter";
import { type Known, ObservationTimeline } from "@/shared/overlay/timeline";
import { listen } from "@/shared/streams/feed";
import type { StateWords } from "@/shared/streams/sentences";
import { LiveController, type LiveStatus } from "./liveController";
import { PlayerMessage } from "./PlayerMessage";
import { SnapshotView } from "./SnapshotView";
import { Stage } from "./Stage";

export interface LiveFigures {
  /** Media time of the picture on screen (µs since the epoch). */
  wallUs: number;
  /** How far the picture is meant to be behind the camera (s). */
  delay: number;
  kind: Known["kind"];
}

interface PlayerProps {
  streamId: string;
  showOverlays?: boolean;
  /** Upper bound of the delay that the picture may have to wait for its analysis (s). */
  processingDelay?: number;
  name?: string;
  maxHeight?: string;
  /** Why the camera sends nothing, or `null`: said on the picture, lest a still one be taken for now. */
  trouble?: StateWords | null;
  /** Told what the camera sends while it is shown converted because this browser can not play that, else `null`. */
  onConverted?: (sourceMime: string | null) => void;
  /** Told about twice a second. */
  onFigures?: (figures: LiveFigures) => void;
}

const FIGURES_MS = 500;

/** One camera live: muted, inline, with its overlay on the very picture it belongs to. */
export function Player({
  streamId,
  showOverlays = true,
  processingDelay = 30,
  name = "Camera",
  maxHeight = "100%",
  trouble = null,
  onConverted,
  onFigures,
}: PlayerProps) {
  const video = useRef<HTMLVideoElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const painter = useRef<Painter | null>(null);
  const controller = useRef<LiveController | null>(null);
  const latest = useRef({ showOverlays, onConverted, onFigures });
  const [status, setStatus] = useState<LiveStatus>({ kind: "connecting" });
  const [aspect, setAspect] = useState(16 / 9);
  const { layers, pace } = useOverlaySettings();

  useEffect(() => {
    latest.current = { showOverlays, onConverted, onFigures };
  }, [showOverlays, onConverted, onFigures]);

  useEffect(() => {
    if (video.current === null || canvas.current === null) return;
    const timeline = new ObservationTimeline();
    const live = new LiveController(
      streamId,
      video.current,
      setStatus,
      (note) => {
        if (note.height > 0) setAspect(note.width / note.height);
      },
      (mime) => latest.current.onConverted?.(mime),
    );
    controller.current = live;
    let told = 0;
    const brush = startPainter(
      video.current,
      canvas.current,
      {
        stream: streamId,
        ptsOf: (mediaTime) => Math.round(mediaTime * TICKS),
        known: (pts) => timeline.at(pts, live.predicts),
        trail: (track, pts, seconds) => timeline.trail(track, pts, seconds),
      },
      () => ({ layers: useOverlaySettings.getState().layers, visible: latest.current.showOverlays }),
      (known, pts) => {
        if (performance.now() - told < FIGURES_MS) return;
        told = performance.now();
        latest.current.onFigures?.({ wallUs: Math.round((pts / TICKS) * 1e6), delay: live.delay, kind: known.kind });
      },
    );
    painter.current = brush;
    const stop = listen(streamId, (observation) => {
      timeline.add(observation);
      live.observed(observation);
    });
    return () => {
      stop();
      brush.stop();
      live.close();
      painter.current = null;
      controller.current = null;
    };
  }, [streamId]);

  useEffect(() => {
    if (controller.current === null) return;
    controller.current.setPace(pace);
    controller.current.mostDelay = processingDelay;
  }, [streamId, pace, processingDelay]);

  useEffect(() => painter.current?.repaint(), [layers, showOverlays]);

  return (
    <Stage videoRef={video} canvasRef={canvas} aspect={aspect} label={`${name}, live`} painted={showOverlays} maxHeight={maxHeight}>
      {(status.kind === "unplayable" || status.kind === "unconverted") && (
        <SnapshotView
          streamId={streamId}
          name={name}
          mime={status.mime}
          reason={status.kind === "unconverted" ? status.message : "It plays no H.264 either."}
        />
      )}
      <PlayerMessage status={status} trouble={trouble} />
    </Stage>
  );
}

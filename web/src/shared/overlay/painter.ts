import { recordFrame } from "@/shared/measure";
import { type Layers, OverlayBrush } from "./draw";
import type { Known, TrailPoint } from "./timeline";

/** Seconds of the past that a trail shows. */
const TRAIL_S = 4;

export interface OverlaySource {
  stream: string;
  /** pts of the picture with this media time (s), or `null` while it can not be told. */
  ptsOf: (mediaTime: number) => number | null;
  known: (pts: number) => Known;
  trail: (trackId: number, pts: number, seconds: number) => TrailPoint[];
}

export interface Painter {
  /** Draw the picture on screen again, after a change of layers or size. */
  repaint: () => void;
  stop: () => void;
}

/**
 * Paints picture and overlay together on a canvas that covers the video, once a presented picture.
 *
 * Drawing the overlay alone would put it on the screen up to one refresh of the display after its picture, because the
 * browser shows video frames without waiting for the page. Both on one canvas can not come apart.
 */
export function startPainter(
  video: HTMLVideoElement,
  canvas: HTMLCanvasElement,
  source: OverlaySource,
  options: () => { layers: Layers; visible: boolean },
  onKnown: (known: Known, pts: number) => void,
): Painter {
  const ctx = canvas.getContext("2d", { alpha: false });
  let handle = 0;
  let lastTime: number | null = null;

  const paint = (mediaTime: number): { known: Known | null; pts: number | null; exact: number } => {
    const { layers, visible } = options();
    const grabbed = visible ? grab(video) : null;
    const exact = grabbed?.mediaTime ?? mediaTime;
    const pts = source.ptsOf(exact);
    const known = pts === null ? null : source.known(pts);
    if (ctx !== null && visible) {
      const ratio = window.devicePixelRatio || 1;
      const width = Math.round(canvas.clientWidth * ratio);
      const height = Math.round(canvas.clientHeight * ratio);
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      ctx.setTransform(1, 0, 0, 1, 0, 0);
      ctx.drawImage(grabbed?.image ?? video, 0, 0, width, height);
      ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
      if (known !== null && pts !== null) overlay(ctx, canvas, known, pts, layers, source);
    }
    grabbed?.image.close();
    return { known, pts, exact };
  };

  const presented: VideoFrameRequestCallback = (_now, metadata) => {
    lastTime = metadata.mediaTime;
    const { known, pts, exact } = paint(metadata.mediaTime);
    if (pts !== null) {
      recordFrame({
        stream: source.stream,
        pts,
        mediaTime: exact,
        displayMs: performance.timeOrigin + metadata.expectedDisplayTime,
        drawnPts: known?.pts ?? null,
        kind: known?.kind ?? "nothing",
      });
      if (known !== null) onKnown(known, pts);
    }
    handle = video.requestVideoFrameCallback(presented);
  };
  handle = video.requestVideoFrameCallback(presented);

  return {
    repaint: () => {
      if (lastTime === null || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
      const { known, pts } = paint(lastTime);
      if (known !== null && pts !== null) onKnown(known, pts);
    },
    stop: () => video.cancelVideoFrameCallback(handle),
  };
}

function overlay(
  ctx: CanvasRenderingContext2D,
  canvas: HTMLCanvasElement,
  known: Known,
  pts: number,
  layers: Layers,
  source: OverlaySource,
): void {
  if (known.horses.length === 0 || known.width <= 0) return;
  const size = { width: canvas.clientWidth, height: canvas.clientHeight };
  const brush = new OverlayBrush(ctx, known, size);
  if (layers.trail) {
    for (const horse of known.horses) brush.trail(source.trail(horse.track_id, pts, TRAIL_S), horse);
  }
  for (const horse of known.horses) brush.horse(horse, layers, known.kind === "predicted");
}

/**
 * The picture the video shows now, with its own time. By the time a callback runs the compositor may already be one picture
 * further than the callback's metadata say; a `VideoFrame` carries the time of the very pixels. Browsers offer it on https
 * and localhost; elsewhere the metadata have to do.
 */
function grab(video: HTMLVideoElement): { image: VideoFrame; mediaTime: number } | null {
  if (typeof VideoFrame === "undefined") return null;
  try {
    const image = new VideoFrame(video);
    return { image, mediaTime: image.timestamp / 1e6 };
  } catch {
    return null;
  }
}

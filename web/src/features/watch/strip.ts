import type { Chunk, Gap } from "@/shared/api/types";

/** A stretch of time in microseconds. */
export interface Stretch {
  start: number;
  end: number;
}

export const HOUR_US = 3600e6;

/** Chunks closer than this are one stretch: a seam between chunks is a frame at most (µs). */
const SEAM_US = 1e6;

/** Chunks as the stretches that were recorded, oldest first. */
export function recorded(chunks: readonly Chunk[]): Stretch[] {
  const spans: Stretch[] = [];
  for (const { start_us, end_us } of chunks) {
    const last = spans.at(-1);
    if (last !== undefined && start_us - last.end <= SEAM_US) last.end = Math.max(last.end, end_us);
    else spans.push({ start: start_us, end: end_us });
  }
  return spans;
}

/** Chunks known so far with newer ones, which replace those of the same start; what is older than `from` goes. */
export function joinChunks(known: readonly Chunk[], newer: readonly Chunk[], from: number): Chunk[] {
  const first = newer[0]?.start_us ?? Infinity;
  return [...known.filter((chunk) => chunk.start_us < first), ...newer].filter((chunk) => chunk.end_us > from);
}

/** The part of `stretch` inside `view` as shares of its width, or `null` when it is outside. */
export function share(stretch: Stretch, view: Stretch): { left: number; width: number } | null {
  const start = Math.max(stretch.start, view.start);
  const end = Math.min(stretch.end, view.end);
  if (end <= start) return null;
  const length = view.end - view.start;
  return { left: (start - view.start) / length, width: (end - start) / length };
}

/** The window on the strip: ends at `now` while live, else keeps `at` inside, in its middle where there is room. */
export function windowOf(lengthUs: number, now: number, at: number | null): Stretch {
  const end = at === null ? now : Math.min(now, Math.max(at + lengthUs / 2, now - 24 * HOUR_US + lengthUs));
  return { start: end - lengthUs, end };
}

const STEPS_MIN = [5, 10, 15, 30, 60, 120, 180, 360];

/** Round clock times for labels, at most `most` of them. */
export function ticks(view: Stretch, most: number, zoneOffsetMin: number): number[] {
  const minute = 60e6;
  const step = (STEPS_MIN.find((one) => (view.end - view.start) / (one * minute) <= most) ?? 360) * minute;
  const shift = zoneOffsetMin * minute;
  const first = Math.ceil((view.start - shift) / step) * step + shift;
  const found: number[] = [];
  // A label at the very edge would be cut.
  const edge = (view.end - view.start) * 0.035;
  for (let at = first; at <= view.end; at += step) if (at >= view.start + edge && at <= view.end - edge) found.push(at);
  return found;
}

/** Whether a moment is inside one of the stretches. */
export function isIn(us: number, spans: readonly Stretch[]): boolean {
  return spans.some((span) => us >= span.start && us < span.end);
}

/** What is at a moment: recorded, a gap with its cause, or unknown. */
export function whatIsAt(us: number, spans: readonly Stretch[], gaps: readonly Gap[], now: number): "recorded" | Gap | null {
  if (isIn(us, spans)) return "recorded";
  return gaps.find((gap) => us >= gap.start_us && us < (gap.end_us ?? now)) ?? null;
}

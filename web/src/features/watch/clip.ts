import type { Stretch } from "./strip";

/** Lengths of a clip on offer (s). */
export const LENGTHS = [
  { seconds: 30, label: "30 s" },
  { seconds: 60, label: "1 min" },
  { seconds: 120, label: "2 min" },
] as const;

/** The clip of so many seconds around a moment (µs), not beyond `now`: there is nothing yet. */
export function clipAround(us: number, seconds: number, now: number): Stretch {
  const length = seconds * 1e6;
  const end = Math.min(now, Math.round(us + length / 2));
  return { start: end - length, end };
}

/** Whether all that was recorded of a stretch is kept. */
export function isKept(stretch: Stretch, recorded: readonly Stretch[], kept: readonly Stretch[]): boolean {
  const inside = recorded
    .map((span) => ({ start: Math.max(span.start, stretch.start), end: Math.min(span.end, stretch.end) }))
    .filter((span) => span.end > span.start);
  return inside.length > 0 && inside.every((span) => kept.some((one) => one.start <= span.start && one.end >= span.end));
}

/** `Foaling box 2026-11-25 13.04.05.mp4`, in the time of the person who saves it. */
export function clipName(camera: string, us: number): string {
  const at = new Date(us / 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join("-");
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(".");
  const plain = camera.replace(/[^\p{L}\p{N} _()-]+/gu, "_").trim();
  return `${plain === "" ? "camera" : plain} ${day} ${time}.mp4`;
}

import type { Horse, Observation } from "./observation";

/** Builders for specifications of the overlay. */
export function horse(track: number, x: number, change: Partial<Horse> = {}): Horse {
  return {
    track_id: track,
    tracking_id: `horse_${track}`,
    horse_id: null,
    name: null,
    certainty: "unknown",
    similarity: 0,
    color: "#e6194b",
    bbox: { x, y: 100, width: 50, height: 40, confidence: 0.8 },
    pose: null,
    metrics: {},
    interpolated: false,
    ...change,
  };
}

export function observation(pts: number, horses: Horse[]): Observation {
  return { stream_id: "s", wall_us: Math.round(pts / 0.09), pts, width: 1280, height: 720, horses };
}

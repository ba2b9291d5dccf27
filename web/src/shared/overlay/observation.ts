import type { Schemas } from "@/shared/api/types";

/** The wire form of `core.observation`: pixels of the full picture, whose size goes with it. */
export type Observation = Schemas["Observation"];
export type Horse = Schemas["HorseObservation"];
export type BBox = Schemas["BoundingBox"];
export type Pose = Schemas["Pose"];

/** Ticks of `pts` in a second. */
export const TICKS = 90_000;

/** The name to show: the horse's own, or the track's while nobody knows the horse. */
export function horseName(horse: Pick<Horse, "name" | "track_id">): string {
  // Track ids count from the seconds of a year and never repeat; their end tells the horses of a picture apart.
  return horse.name ?? `Horse ${horse.track_id % 1000}`;
}

/** "Bella (0.87)"; a name that is only probable carries a question mark. */
export function horseLabel(horse: Horse): string {
  const doubt = horse.name !== null && horse.certainty === "probable" ? "?" : "";
  return `${horseName(horse)}${doubt} (${horse.bbox.confidence.toFixed(2)})`;
}

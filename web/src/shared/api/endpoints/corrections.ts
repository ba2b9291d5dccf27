import { call } from "../client";
import type { Schemas } from "../types";

/** This one animal is that horse, in what was recorded of it too. */
export function assignHorse(streamId: string, trackId: number, horseId: string): Promise<Schemas["Horse"]> {
  return call(`/streams/${streamId}/tracks/${trackId}/horse`, { method: "PUT", body: { horse_id: horseId } });
}

/** This one animal is not that horse. */
export function refuseHorse(streamId: string, trackId: number, horseId: string): Promise<void> {
  return call(`/streams/${streamId}/tracks/${trackId}/horse`, { method: "DELETE", query: { horse_id: horseId } });
}

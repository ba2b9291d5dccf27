import { call } from "../client";
import type { Schemas } from "../types";

/** Observations of `[startUs, endUs)` in the order of time, one page; `next_us` says where to go on. */
export function getObservations(
  streamId: string,
  startUs: number,
  endUs: number,
  signal?: AbortSignal,
): Promise<Schemas["ObservationPage"]> {
  return call(`/streams/${streamId}/observations`, {
    query: { start_us: startUs, end_us: endUs },
    ...(signal && { signal }),
  });
}

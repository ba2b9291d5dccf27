import { call } from "../client";
import type { Protection } from "../types";

/** Keep what was recorded in `[startUs, endUs)` whatever its age, or let it go. */
export function setProtection(streamId: string, startUs: number, endUs: number, kept: boolean): Promise<Protection> {
  const query = { start_us: startUs, end_us: endUs };
  return call(`/streams/${streamId}/protection`, { method: kept ? "PUT" : "DELETE", query });
}

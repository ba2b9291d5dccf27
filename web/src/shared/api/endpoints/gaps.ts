import { useCallback } from "react";
import { call } from "../client";
import type { Gap } from "../types";
import { type Resource, useResource } from "../useResource";

/** Stretches that were not recorded within `[startUs, endUs)`, oldest first. */
export function getGaps(streamId: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<Gap[]> {
  return call(`/streams/${streamId}/gaps`, { query: { start_us: startUs, end_us: endUs }, ...(signal && { signal }) });
}

export function useGaps(streamId: string, startUs: number, endUs: number, everyMs?: number): Resource<Gap[]> {
  return useResource(
    useCallback((signal: AbortSignal) => getGaps(streamId, startUs, endUs, signal), [streamId, startUs, endUs]),
    everyMs,
  );
}

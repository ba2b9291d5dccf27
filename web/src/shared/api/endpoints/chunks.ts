import { useCallback } from "react";
import { call } from "../client";
import type { Chunk } from "../types";
import { type Resource, useResource } from "../useResource";

/** Chunks that overlap `[startUs, endUs)`, oldest first; a day of them fits in one answer. */
export function getChunks(streamId: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<Chunk[]> {
  return call(`/streams/${streamId}/chunks`, { query: { start_us: startUs, end_us: endUs, limit: 10_000 }, ...(signal && { signal }) });
}

export function useChunks(streamId: string, startUs: number, endUs: number, everyMs?: number): Resource<Chunk[]> {
  return useResource(
    useCallback((signal: AbortSignal) => getChunks(streamId, startUs, endUs, signal), [streamId, startUs, endUs]),
    everyMs,
  );
}

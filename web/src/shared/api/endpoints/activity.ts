import { useCallback } from "react";
import { call } from "../client";
import type { Schemas } from "../types";
import { type Resource, useResource } from "../useResource";

/** Hours with horses before a camera; complete up to about an hour ago. */
export function getActivity(streamId: string, startUs: number, endUs: number, signal?: AbortSignal): Promise<Schemas["Activity"]> {
  const iso = (us: number) => new Date(us / 1000).toISOString();
  return call("/activity", {
    query: { stream_id: streamId, start_time: iso(startUs), end_time: iso(endUs) },
    ...(signal && { signal }),
  });
}

export function useActivity(streamId: string, startUs: number, endUs: number): Resource<Schemas["Activity"]> {
  return useResource(
    useCallback((signal: AbortSignal) => getActivity(streamId, startUs, endUs, signal), [streamId, startUs, endUs]),
  );
}

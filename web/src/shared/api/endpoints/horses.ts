import { useCallback } from "react";
import { call } from "../client";
import type { Schemas } from "../types";
import { type Resource, useResource } from "../useResource";

/** All horses, strangers last. */
export function getHorses(signal?: AbortSignal): Promise<Schemas["Horse"][]> {
  return call("/horses", signal === undefined ? {} : { signal });
}

/** Give a horse its name; a stranger is one no longer. */
export function renameHorse(id: string, name: string): Promise<Schemas["Horse"]> {
  return call(`/horses/${id}`, { method: "PATCH", body: { name } });
}

/** Say that two are one: what was seen of the first becomes the other's. */
export function mergeHorse(id: string, into: string): Promise<Schemas["Horse"]> {
  return call(`/horses/${id}/merge`, { method: "POST", body: { into } });
}

export function useHorses(): Resource<Schemas["Horse"][]> {
  return useResource(useCallback((signal: AbortSignal) => getHorses(signal), []));
}

import { useCallback } from "react";
import { call } from "../client";
import type { Schemas } from "../types";
import { type Resource, useResource } from "../useResource";

/** All horses, strangers last. */
export function getHorses(signal?: AbortSignal): Promise<Schemas["Horse"][]> {
  return call("/horses", signal === undefined ? {} : { signal });
}

export function useHorses(): Resource<Schemas["Horse"][]> {
  return useResource(useCallback((signal: AbortSignal) => getHorses(signal), []));
}

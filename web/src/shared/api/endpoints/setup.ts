import { useCallback } from "react";
import { call } from "../client";
import type { Schemas, Session } from "../types";
import { type Resource, useResource } from "../useResource";

/** Whether there is anybody yet who may sign in. */
export function getSetup(signal?: AbortSignal): Promise<Schemas["SetupState"]> {
  return call("/setup", signal === undefined ? {} : { signal });
}

/** Make the first administrator with the token of the one-time link, and sign in. */
export function createFirstAdministrator(token: string, email: string, password: string): Promise<Session> {
  return call("/setup", { method: "POST", body: { token, email, password } });
}

export function useSetup(): Resource<Schemas["SetupState"]> {
  return useResource(useCallback((signal: AbortSignal) => getSetup(signal), []));
}

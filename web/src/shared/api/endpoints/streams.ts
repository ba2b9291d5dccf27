import { call } from "../client";
import type { Schemas, Stream } from "../types";

/** A new camera; what is left out gets the API's default. */
export type NewStream = Pick<Schemas["StreamConfig"], "name" | "source_type" | "source_url"> & Partial<Schemas["StreamConfig"]>;

export function getStreams(signal?: AbortSignal): Promise<Stream[]> {
  return call("/streams", signal === undefined ? {} : { signal });
}

export function postStream(config: NewStream): Promise<Stream> {
  return call("/streams", { method: "POST", body: config });
}

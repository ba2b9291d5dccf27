import { call } from "../client";
import type { Schemas, Stream } from "../types";

/** What is to be different; what is left out stays. */
export type StreamChange = Partial<Schemas["StreamChange"]>;

export function patchStream(id: string, change: StreamChange): Promise<Stream> {
  return call(`/streams/${id}`, { method: "PATCH", body: change });
}

export function deleteStream(id: string): Promise<void> {
  return call(`/streams/${id}`, { method: "DELETE" });
}

export function startStream(id: string): Promise<Stream> {
  return call(`/streams/${id}/start`, { method: "POST" });
}

export function stopStream(id: string): Promise<Stream> {
  return call(`/streams/${id}/stop`, { method: "POST" });
}

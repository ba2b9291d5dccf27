import { fetchBlob } from "../client";

/** One MP4 of `[startUs, endUs)`; with `codec` pictures this browser can not play come converted. Takes as long as making it does. */
export function getClip(streamId: string, startUs: number, endUs: number, codec?: "h264"): Promise<Blob> {
  return fetchBlob(`/streams/${streamId}/clip.mp4`, { start_us: startUs, end_us: endUs, codec });
}

import { address } from "../client";

/** Address of the HLS playlist over the recordings of `[startUs, endUs)`; with `codec` all of it in that one. */
export function playlistUrl(streamId: string, startUs: number, endUs: number, codec?: "h264"): string {
  return address(`/streams/${streamId}/playlist.m3u8`, { start_us: startUs, end_us: endUs, codec });
}

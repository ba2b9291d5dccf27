import { address } from "../client";

/** Address of the HLS playlist over the recordings of `[startUs, endUs)`. */
export function playlistUrl(streamId: string, startUs: number, endUs: number): string {
  return address(`/streams/${streamId}/playlist.m3u8`, { start_us: startUs, end_us: endUs });
}

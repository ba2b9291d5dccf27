import type { Chunk } from "@/shared/api/types";

/** Builder for specifications: a chunk of `seconds` that begins `at` seconds after the epoch. */
export function chunk(at: number, seconds = 10, change: Partial<Chunk> = {}): Chunk {
  return {
    id: `c${at}`,
    stream_id: "s",
    run: 1,
    start_us: at * 1e6,
    end_us: (at + seconds) * 1e6,
    start_pts: at * 90_000,
    end_pts: (at + seconds) * 90_000,
    bytes: 1000,
    init_bytes: 100,
    frames: seconds * 25,
    codec: "h264",
    mime: 'video/mp4; codecs="avc1.64001f"',
    width: 1280,
    height: 720,
    discontinuity: false,
    closed: true,
    protected: false,
    state: "analysed",
    cause: null,
    tries: 0,
    media: `/v1/chunks/c${at}/media`,
    ...change,
  };
}

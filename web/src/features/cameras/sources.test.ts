import { describe, expect, it } from "vitest";
import { guessSource } from "./sources";

describe("guessSource", () => {
  it.each([
    ["rtsp://192.168.1.40/stream1", "rtsp"],
    ["  RTSPS://camera/1", "rtsp"],
    ["rtmp://host/live/a", "rtmp"],
    ["https://www.youtube.com/watch?v=abc", "youtube"],
    ["https://youtu.be/abc", "youtube"],
    ["https://notyoutube.com/live.m3u8", "hls"],
    ["http://camera/live.m3u8", "hls"],
    ["/videos/paddock.mp4", "file"],
    ["C:\\videos\\paddock.mp4", "file"],
    ["192.168.1.40", null],
    ["", null],
  ])("%s is %s", (address, kind) => {
    expect(guessSource(address)).toBe(kind);
  });
});

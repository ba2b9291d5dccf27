import { describe, expect, it, vi } from "vitest";
import { codecName, convertedWords, plays } from "./codec";

describe("a codec in words", () => {
  it.each([
    ['video/mp4; codecs="hvc1.1.6.L93.90"', "H.265 (HEVC)"],
    ['video/mp4; codecs="hev1.2.4.L120.b0,mp4a.40.2"', "H.265 (HEVC)"],
    ['video/mp4; codecs="avc1.64001f,mp4a.40.2"', "H.264"],
    ['video/mp4; codecs="av01.0.08M.08"', "av01.0.08M.08"],
    ["video/mp4", "an unknown format"],
  ])("%s is %s", (mime, name) => {
    expect(codecName(mime)).toBe(name);
  });

  it("says why a camera is shown converted", () => {
    expect(convertedWords('video/mp4; codecs="hvc1.1.6.L93.90"')).toContain("sends H.265 (HEVC), which this browser can not play");
  });

  it("asks the browser with the whole type", () => {
    const isTypeSupported = vi.fn((mime: string) => mime.includes("avc1"));
    vi.stubGlobal("window", {});
    vi.stubGlobal("MediaSource", { isTypeSupported });
    expect(plays('video/mp4; codecs="hvc1.1.6.L93.90"')).toBe(false);
    expect(plays('video/mp4; codecs="avc1.42c01f"')).toBe(true);
    expect(isTypeSupported.mock.calls).toEqual([['video/mp4; codecs="hvc1.1.6.L93.90"'], ['video/mp4; codecs="avc1.42c01f"']]);
    vi.unstubAllGlobals();
  });
});

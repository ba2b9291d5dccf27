import { describe, expect, it } from "vitest";
import { agoWords, bytesWords, durationWords } from "./format";

describe("durations and sizes in words", () => {
  it.each([
    [45e6, "45 s"],
    [59.9e6, "1 min"],
    [12 * 60e6, "12 min"],
    [3 * 3600e6, "3 h"],
    [200 * 60e6, "3 h 20 min"],
    [49 * 3600e6, "2 days"],
  ])("%d µs: %s", (us, words) => {
    expect(durationWords(us)).toBe(words);
  });

  it.each([
    [999, "999 B"],
    [1500, "1.5 kB"],
    [412_000_000, "412 MB"],
    [2_340_000_000_000, "2.3 TB"],
  ])("%d bytes: %s", (bytes, words) => {
    expect(bytesWords(bytes)).toBe(words);
  });

  it("does not count seconds at first", () => {
    expect(agoWords(1e15 - 4e6, 1e15)).toBe("a moment ago");
  });
});

import { describe, expect, it } from "vitest";
import { layOut, mediaTimeOf, pieces, ptsAt, wallAt } from "./chunkClock";
import { chunk } from "./testing";

const AT = 1_795_000_000;
/** Two chunks, a gap of 50 s, one more chunk whose wall clock is 0.25 s ahead of its pts. */
const CHUNKS = [
  chunk(AT),
  chunk(AT + 10),
  chunk(AT + 70, 10, { start_us: (AT + 70.25) * 1e6, end_us: (AT + 80.25) * 1e6 }),
];
const PLANNED = layOut(CHUNKS);

describe("media time of a recording", () => {
  it.each([
    { mediaTime: 0, pts: AT * 90_000 },
    { mediaTime: 0.04, pts: AT * 90_000 + 3600 },
    { mediaTime: 10, pts: (AT + 10) * 90_000 },
    { mediaTime: 9.9999995, pts: (AT + 10) * 90_000 },
    { mediaTime: 20.2, pts: (AT + 70.2) * 90_000 },
  ])("$mediaTime s is pts $pts", ({ mediaTime, pts }) => {
    expect(ptsAt(PLANNED, mediaTime)).toBe(pts);
  });

  it("follows the wall clock of the chunk, not its pts", () => {
    expect(wallAt(PLANNED, 21)).toBe((AT + 71.25) * 1e6);
  });

  it("follows where the player really laid a fragment", () => {
    const moved = pieces(
      CHUNKS.map((one, i) => ({ start: i * 10 + 0.12, duration: 10, relurl: one.media })),
      CHUNKS,
    );
    expect(ptsAt(moved, 10.16)).toBe((AT + 10) * 90_000 + 3600);
  });

  it("knows nothing before there is a piece", () => {
    expect(ptsAt([], 3)).toBeNull();
  });
});

describe("where to go for a wall time", () => {
  it.each([
    { us: (AT + 3) * 1e6, mediaTime: 3, what: "inside a chunk" },
    { us: (AT + 40) * 1e6, mediaTime: 20, what: "in a gap: the next picture" },
    { us: (AT - 60) * 1e6, mediaTime: 0, what: "before everything: the first picture" },
    { us: (AT + 500) * 1e6, mediaTime: null, what: "after everything: nowhere" },
  ])("$what", ({ us, mediaTime }) => {
    expect(mediaTimeOf(PLANNED, us)).toBe(mediaTime);
  });
});

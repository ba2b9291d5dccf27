import { describe, expect, it } from "vitest";
import { HOUR_US, joinChunks, recorded, share, ticks, whatIsAt, windowOf } from "./strip";
import { chunk } from "./testing";

const AT = 1_795_000_000;

describe("recorded", () => {
  it("makes one stretch of chunks that follow each other and parts those that do not", () => {
    expect(recorded([chunk(AT), chunk(AT + 10), chunk(AT + 60)])).toEqual([
      { start: AT * 1e6, end: (AT + 20) * 1e6 },
      { start: (AT + 60) * 1e6, end: (AT + 70) * 1e6 },
    ]);
  });
});

describe("joinChunks", () => {
  it("replaces the chunk that was still growing and forgets what is too old", () => {
    const known = [chunk(AT), chunk(AT + 10), chunk(AT + 20, 4, { closed: false })];
    const joined = joinChunks(known, [chunk(AT + 20), chunk(AT + 30)], (AT + 10) * 1e6);
    expect(joined.map((one) => [one.start_us / 1e6 - AT, one.closed])).toEqual([
      [10, true],
      [20, true],
      [30, true],
    ]);
  });

  it("keeps all when nothing is new", () => {
    expect(joinChunks([chunk(AT)], [], 0)).toHaveLength(1);
  });
});

describe("share", () => {
  const view = { start: 0, end: 100 };
  it.each([
    { stretch: { start: 10, end: 30 }, found: { left: 0.1, width: 0.2 } },
    { stretch: { start: -50, end: 50 }, found: { left: 0, width: 0.5 } },
    { stretch: { start: 100, end: 130 }, found: null },
  ])("$stretch.start to $stretch.end", ({ stretch, found }) => {
    expect(share(stretch, view)).toEqual(found);
  });
});

describe("windowOf", () => {
  const now = 100 * HOUR_US;
  it.each([
    { at: null, end: 100, what: "live: ends now" },
    { at: 90, end: 93, what: "holds the moment in its middle" },
    { at: 99, end: 100, what: "does not look into the future" },
    { at: 60, end: 82, what: "does not go further back than a day" },
  ])("$what", ({ at, end }) => {
    expect(windowOf(6 * HOUR_US, now, at === null ? null : at * HOUR_US)).toEqual({
      start: (end - 6) * HOUR_US,
      end: end * HOUR_US,
    });
  });
});

describe("ticks", () => {
  it("stand on round minutes of the reader's clock", () => {
    const view = { start: 1_795_000_000e6, end: 1_795_003_600e6 };
    for (const at of ticks(view, 7, -330)) expect(new Date(at / 1000 + 330 * 60_000).getUTCMinutes() % 10).toBe(0);
    expect(ticks(view, 7, -330).length).toBeGreaterThan(3);
  });
});

describe("whatIsAt", () => {
  const gap = { stream_id: "s", start_us: 20, end_us: null, cause: "unreachable" as const, message: "no route" };
  it.each([
    { us: 5, found: "recorded" },
    { us: 15, found: null },
    { us: 25, found: gap },
  ])("at $us", ({ us, found }) => {
    expect(whatIsAt(us, [{ start: 0, end: 10 }], [gap], 100)).toEqual(found);
  });
});

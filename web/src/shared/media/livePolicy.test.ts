import { describe, expect, it } from "vitest";
import { DelayMeter, steer } from "./livePolicy";

describe("steer", () => {
  it.each([
    { name: "nothing buffered", spans: [], time: 0, rate: 1, seek: null },
    { name: "on target", spans: [{ start: 90, end: 100 }], time: 99.2, rate: 1, seek: null },
    { name: "a little behind: faster", spans: [{ start: 90, end: 100 }], time: 99.0, rate: 1.1, seek: null },
    { name: "far behind, but not worth a jump: fastest", spans: [{ start: 90, end: 100 }], time: 98.0, rate: 1.15, seek: null },
    { name: "too near the end: slower", spans: [{ start: 90, end: 100 }], time: 99.5, rate: 0.85, seek: null },
    { name: "much too far behind: jump", spans: [{ start: 90, end: 100 }], time: 95, rate: 1, seek: 99.2 },
    { name: "before anything is played: jump", spans: [{ start: 90, end: 100 }], time: 0, rate: 1, seek: 99.2 },
    { name: "less buffered than the delay: begin at the start", spans: [{ start: 99.9, end: 100 }], time: 0, rate: 1, seek: 99.9 },
    { name: "at the hole a restart left: over it", spans: [{ start: 90, end: 95 }, { start: 97, end: 97.5 }], time: 94.95, rate: 1, seek: 97 },
    { name: "still playing what came before the hole", spans: [{ start: 90, end: 95 }, { start: 95.2, end: 95.4 }], time: 94.6, rate: 1, seek: null },
  ])("$name", ({ spans, time, rate, seek }) => {
    const found = steer(spans, time, 0.8);
    expect(found.rate).toBeCloseTo(rate, 6);
    expect(found.seek).toEqual(seek === null ? null : expect.closeTo(seek, 6));
  });
});

describe("steer in a hurry", () => {
  it("jumps where it would otherwise speed up", () => {
    expect(steer([{ start: 90, end: 100 }], 99.2, 0.08, true)).toEqual({ rate: 1, seek: 99.92 });
  });
});

describe("the delay that analysis needs", () => {
  /** Observations every `step` s that arrive `late` s after their picture. */
  const fed = (late: number, step: number, count: number) => {
    const meter = new DelayMeter();
    meter.start(1000);
    for (let i = 1; i <= count; i++) meter.observed(1000 + i * step, 1000 + i * step + late);
    return meter;
  };

  it("begins at 0.8 s, before anything is known", () => {
    expect(new DelayMeter().delay(30)).toBeCloseTo(0.8);
  });

  it("comes down to lateness and one step, plus a margin", () => {
    expect(fed(0.3, 0.2, 200).delay(30)).toBeCloseTo(0.3 + 0.2 + 0.08, 2);
  });

  it("goes up at once when analysis gets slower", () => {
    const meter = fed(0.3, 0.2, 200);
    for (let i = 201; i <= 206; i++) meter.observed(1000 + i * 0.2, 1000 + i * 0.2 + 1.1);
    expect(meter.delay(30)).toBeCloseTo(1.1 + 0.2 + 0.08, 2);
  });

  it("never passes what the user accepts", () => {
    expect(fed(2, 0.2, 50).delay(0.5)).toBe(0.5);
  });

  it("leaves out observations that were made before the page was open", () => {
    const meter = new DelayMeter();
    meter.start(1000);
    for (let i = 0; i < 20; i++) meter.observed(995 + i * 0.2, 1000);
    expect(meter.delay(30)).toBeCloseTo(0.8);
  });

  it("begins with the distance of the observations that were there before, on a machine that analyses little", () => {
    const meter = new DelayMeter();
    for (const pts of [996, 997, 998]) meter.observed(pts, 0);
    expect(meter.delay(30)).toBeCloseTo(1.6);
    meter.start(1000);
    meter.observed(999, 1002);
    expect(meter.delay(30)).toBeCloseTo(1.6);
  });

  it("does not take a hole before the page was open for a distance", () => {
    const meter = new DelayMeter();
    for (const pts of [900, 990]) meter.observed(pts, 0);
    expect(meter.delay(30)).toBeCloseTo(0.8);
  });

  it("does not take a pause of the analysis for slowness", () => {
    const meter = fed(0.3, 0.2, 200);
    meter.observed(1060, 1060.3);
    expect(meter.delay(30)).toBeCloseTo(0.58, 2);
  });
});

import { describe, expect, it } from "vitest";
import { clipAround, clipName, isKept } from "./clip";

const at = (start: number, end: number) => ({ start: start * 1e6, end: end * 1e6 });

describe("the clip around a moment", () => {
  it("has the moment in its middle", () => {
    expect(clipAround(100e6, 30, 1000e6)).toEqual(at(85, 115));
  });

  it("ends now where there is nothing later, and is as long", () => {
    expect(clipAround(100e6, 60, 110e6)).toEqual(at(50, 110));
  });
});

describe("kept", () => {
  it.each([
    { name: "all of it", recorded: [at(0, 100)], kept: [at(10, 60)], expected: true },
    { name: "a part only", recorded: [at(0, 100)], kept: [at(20, 60)], expected: false },
    { name: "both sides of a gap", recorded: [at(0, 30), at(40, 100)], kept: [at(0, 30), at(40, 60)], expected: true },
    { name: "one side of a gap", recorded: [at(0, 30), at(40, 100)], kept: [at(0, 30)], expected: false },
    { name: "nothing was recorded", recorded: [at(60, 100)], kept: [at(60, 100)], expected: false },
  ])("$name: $expected", ({ recorded, kept, expected }) => {
    expect(isKept(at(15, 50), recorded, kept)).toBe(expected);
  });
});

it("names a clip so that every file system takes it", () => {
  const us = new Date(2026, 10, 25, 9, 4, 5).getTime() * 1000;
  expect(clipName("Foaling box", us)).toBe("Foaling box 2026-11-25 09.04.05.mp4");
  expect(clipName('Süd: "3"/4', us)).toBe("Süd_ _3_4 2026-11-25 09.04.05.mp4");
  expect(clipName("", us)).toBe("camera 2026-11-25 09.04.05.mp4");
});

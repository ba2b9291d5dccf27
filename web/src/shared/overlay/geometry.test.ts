import { describe, expect, it } from "vitest";
import { placeLabel, scaleRect } from "./geometry";

const PICTURE = { width: 640, height: 360 };

describe("scaleRect", () => {
  it("maps pixels of the full picture to pixels on screen", () => {
    const rect = { x: 960, y: 540, width: 192, height: 108 };
    expect(scaleRect(rect, { width: 1920, height: 1080 }, PICTURE)).toEqual({ x: 320, y: 180, width: 64, height: 36 });
  });
});

describe("placeLabel", () => {
  const label = { width: 100, height: 24 };

  it.each([
    { name: "above the box", box: { x: 50, y: 100, width: 80, height: 60 }, at: { x: 50, y: 76 } },
    { name: "inside where there is no room above", box: { x: 50, y: 10, width: 80, height: 60 }, at: { x: 50, y: 10 } },
    { name: "pushed left at the right edge", box: { x: 600, y: 100, width: 40, height: 60 }, at: { x: 540, y: 76 } },
    { name: "pushed right at the left edge", box: { x: -30, y: 100, width: 80, height: 60 }, at: { x: 0, y: 76 } },
    { name: "at the top of a box that begins above the picture", box: { x: 50, y: -40, width: 80, height: 200 }, at: { x: 50, y: 0 } },
  ])("$name", ({ box, at }) => {
    expect(placeLabel(box, label, PICTURE)).toEqual(at);
  });
});

import { describe, expect, it } from "vitest";
import { namesake } from "./namesake";

const HORSES = [{ name: "Bella" }, { name: "Old Tom" }];

describe("namesake", () => {
  it.each([
    ["Bella", "Bella"],
    ["  bELLA ", "Bella"],
    ["old  tom", "Old Tom"],
    ["Bell", undefined],
    ["", undefined],
    ["   ", undefined],
  ])("%j is %j", (given, expected) => {
    expect(namesake(HORSES, given)?.name).toBe(expected);
  });
});

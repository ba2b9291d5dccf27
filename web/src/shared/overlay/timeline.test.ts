import { describe, expect, it } from "vitest";
import { horse, observation } from "./testing";
import { ObservationTimeline } from "./timeline";

/** 2026-11-22, so that numbers are as large as they are in life. */
const BASE = 161_582_000_000_000;
const FRAME = 3600;

function timeline(...items: [frame: number, x: number][]): ObservationTimeline {
  const made = new ObservationTimeline();
  for (const [frame, x] of items) made.add(observation(BASE + frame * FRAME, [horse(1, x)]));
  return made;
}

describe("what is drawn on a picture", () => {
  const known = timeline([0, 100], [5, 150]);

  it.each([
    { frame: -1, kind: "nothing", x: undefined },
    { frame: 0, kind: "observed", x: 100 },
    { frame: 1, kind: "between", x: 110 },
    { frame: 4, kind: "between", x: 140 },
    { frame: 5, kind: "observed", x: 150 },
    { frame: 6, kind: "nothing", x: undefined },
  ])("frame $frame: $kind at $x", ({ frame, kind, x }) => {
    const found = known.at(BASE + frame * FRAME);
    expect(found.kind).toBe(kind);
    expect(found.horses[0]?.bbox.x).toEqual(x === undefined ? undefined : expect.closeTo(x, 6));
  });

  it("takes a media time in whole microseconds for the same picture", () => {
    const pts = BASE + 5 * FRAME;
    const mediaTime = Math.floor((pts / 90_000) * 1e6) / 1e6;
    expect(known.at(Math.round(mediaTime * 90_000)).kind).toBe("observed");
  });

  it("never takes the picture next to it for the same one, at 60 pictures a second", () => {
    const dense = new ObservationTimeline(120, 450);
    dense.add(observation(BASE, [horse(1, 0)]));
    expect(dense.at(BASE + 1500).kind).toBe("nothing");
  });

  it("draws only horses that both neighbours know", () => {
    const made = new ObservationTimeline();
    made.add(observation(BASE, [horse(1, 100), horse(2, 300)]));
    made.add(observation(BASE + 5 * FRAME, [horse(1, 150), horse(3, 500)]));
    expect(made.at(BASE + 2 * FRAME).horses.map((one) => one.track_id)).toEqual([1]);
  });

  it("says nothing between pictures that are more than 1.5 s apart", () => {
    expect(timeline([0, 100], [38, 150]).at(BASE + 10 * FRAME).kind).toBe("nothing");
  });

  it("draws an empty analysed picture as empty, not as unknown", () => {
    const made = new ObservationTimeline();
    made.add(observation(BASE, []));
    expect(made.at(BASE)).toMatchObject({ kind: "observed", horses: [] });
  });

  it("keeps key points that both neighbours have, with the lesser confidence", () => {
    const pose = (x: number, confidence: number, name: string) => ({
      skeleton: "horse-20",
      keypoints: [
        { name: "withers", x, y: 0, confidence },
        { name, x: 0, y: 0, confidence: 1 },
      ],
    });
    const made = new ObservationTimeline();
    made.add(observation(BASE, [horse(1, 0, { pose: pose(0, 0.9, "nose") })]));
    made.add(observation(BASE + 4 * FRAME, [horse(1, 0, { pose: pose(40, 0.5, "left_ear") })]));
    expect(made.at(BASE + FRAME).horses[0]?.pose?.keypoints).toEqual([{ name: "withers", x: 10, y: 0, confidence: 0.5 }]);
  });
});

describe("as live as possible", () => {
  const known = timeline([0, 100], [5, 150]);

  it.each([
    { after: 1, x: 160 },
    { after: 5, x: 200 },
    { after: 10, x: 250 },
  ])("moves a horse on by its velocity, $after frames later", ({ after, x }) => {
    const found = known.at(BASE + (5 + after) * FRAME, true);
    expect(found.kind).toBe("predicted");
    expect(found.horses[0]?.bbox.x).toBeCloseTo(x, 6);
    expect(found.horses[0]?.interpolated).toBe(true);
  });

  it("does not predict further than 0.4 s", () => {
    expect(known.at(BASE + 16 * FRAME, true).kind).toBe("nothing");
  });

  it("leaves a horse where it was when nothing is known of its motion", () => {
    expect(timeline([0, 100]).at(BASE + 5 * FRAME, true).horses[0]?.bbox.x).toBe(100);
  });

  it("still prefers what was seen", () => {
    expect(known.at(BASE + 2 * FRAME, true).kind).toBe("between");
  });
});

describe("keeping observations", () => {
  it("puts late ones in their place", () => {
    expect(timeline([10, 200], [0, 100], [5, 150]).at(BASE + 5 * FRAME).horses[0]?.bbox.x).toBe(150);
  });

  it("takes the second of the same picture", () => {
    const made = timeline([0, 100], [0, 120]);
    expect(made.length).toBe(1);
    expect(made.at(BASE).horses[0]?.bbox.x).toBe(120);
  });

  it("forgets what is older than it has to keep", () => {
    const made = new ObservationTimeline(10);
    for (let second = 0; second < 60; second++) made.add(observation(BASE + second * 90_000, []));
    expect(made.length).toBeLessThanOrEqual(21);
  });
});

describe("trail", () => {
  it("joins the middles of the boxes up to the picture on screen", () => {
    const made = timeline([0, 100], [5, 150], [10, 200]);
    expect(made.trail(1, BASE + 7 * FRAME, 4).map((point) => point.x)).toEqual([125, 175]);
  });

  it("ends where the track was lost for 1.5 s", () => {
    const made = timeline([0, 100], [50, 150], [55, 200]);
    expect(made.trail(1, BASE + 55 * FRAME, 10).map((point) => point.x)).toEqual([175, 225]);
  });
});

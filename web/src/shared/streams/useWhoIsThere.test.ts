import { expect, test } from "vitest";
import type { Horse } from "@/shared/overlay/observation";
import { remember, type Seen } from "./useWhoIsThere";

function horse(track_id: number, name: string | null): Horse {
  return {
    track_id,
    tracking_id: `horse_${track_id}`,
    horse_id: name,
    name,
    certainty: "unknown",
    similarity: 0,
    color: "#87ceeb",
    bbox: { x: 0, y: 0, width: 10, height: 10, confidence: 0.9 },
    pose: null,
    metrics: {},
    interpolated: false,
  };
}

test("a track that was given its name is listed once, under the name", () => {
  const seen: Seen = new Map();
  remember(seen, [horse(598, null), horse(599, null)], 0);
  remember(seen, [horse(598, "Unknown 1"), horse(599, null)], 200);
  expect([...seen.values()].map(({ item }) => item.name).sort()).toEqual(["Horse 599", "Unknown 1"]);
});

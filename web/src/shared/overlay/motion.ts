import type { BBox, Horse, Pose } from "./observation";

const mix = (a: number, b: number, share: number) => a + (b - a) * share;

export function mixBox(a: BBox, b: BBox, share: number): BBox {
  return {
    x: mix(a.x, b.x, share),
    y: mix(a.y, b.y, share),
    width: mix(a.width, b.width, share),
    height: mix(a.height, b.height, share),
    confidence: mix(a.confidence, b.confidence, share),
  };
}

/** A point is known between two pictures only where it is known in both. */
export function mixPose(a: Pose | null, b: Pose | null, share: number): Pose | null {
  if (a === null || b?.skeleton !== a.skeleton) return null;
  const later = new Map(b.keypoints.map((point) => [point.name, point]));
  const keypoints = a.keypoints.flatMap((point) => {
    const other = later.get(point.name);
    if (other === undefined) return [];
    return [
      {
        name: point.name,
        x: mix(point.x, other.x, share),
        y: mix(point.y, other.y, share),
        confidence: Math.min(point.confidence, other.confidence),
      },
    ];
  });
  return { skeleton: a.skeleton, keypoints };
}

/** A horse between two analysed pictures, `share` 0..1 of the way from `a` to `b`. */
export function mixHorse(a: Horse, b: Horse, share: number): Horse {
  const near = share < 0.5 ? a : b;
  return { ...near, bbox: mixBox(a.bbox, b.bbox, share), pose: mixPose(a.pose, b.pose, share), interpolated: true };
}

/**
 * A horse where its track will be: the centre of the box goes on at the velocity it had between `before` and `last`,
 * its size stays. Key points move with the box.
 */
export function moveHorse(before: Horse, last: Horse, ratio: number): Horse {
  const dx = (last.bbox.x + last.bbox.width / 2 - (before.bbox.x + before.bbox.width / 2)) * ratio;
  const dy = (last.bbox.y + last.bbox.height / 2 - (before.bbox.y + before.bbox.height / 2)) * ratio;
  return {
    ...last,
    interpolated: true,
    bbox: { ...last.bbox, x: last.bbox.x + dx, y: last.bbox.y + dy },
    pose:
      last.pose === null
        ? null
        : { ...last.pose, keypoints: last.pose.keypoints.map((p) => ({ ...p, x: p.x + dx, y: p.y + dy })) },
  };
}

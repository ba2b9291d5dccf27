import { mixHorse, moveHorse } from "./motion";
import { type Horse, type Observation, TICKS } from "./observation";

/** What is known of one picture. */
export interface Known {
  /** `observed`: of this very picture; `between`: from both neighbours; `predicted`: moved on from the past; `nothing`. */
  kind: "observed" | "between" | "predicted" | "nothing";
  horses: Horse[];
  /** pts of the newest observation that it rests on, `null` when nothing is drawn. */
  pts: number | null;
  width: number;
  height: number;
}

export interface TrailPoint {
  x: number;
  y: number;
  pts: number;
}

const NOTHING: Known = { kind: "nothing", horses: [], pts: null, width: 0, height: 0 };

/** Neighbours further apart than this say nothing about the pictures between them (s). */
const BRIDGE_S = 1.5;
/** A prediction older than this is not drawn (s). */
const PREDICT_S = 0.4;

/** Observations of one stream in the order of their pictures. */
export class ObservationTimeline {
  private items: Observation[] = [];

  /** `tolerance`: pts this close are of the same picture (ticks); rounding of the browser's microseconds takes one or two. */
  constructor(
    private readonly keepSeconds = 120,
    private readonly tolerance = 2,
  ) {}

  get length(): number {
    return this.items.length;
  }

  get newest(): Observation | undefined {
    return this.items.at(-1);
  }

  /** Insert in order; a second observation of the same picture replaces the first. */
  add(item: Observation): void {
    const at = this.after(item.pts - 1);
    if (this.items[at]?.pts === item.pts) this.items[at] = item;
    else this.items.splice(at, 0, item);
    const oldest = (this.items.at(-1)?.pts ?? 0) - this.keepSeconds * TICKS;
    if ((this.items[0]?.pts ?? oldest) < oldest - 10 * TICKS) this.items.splice(0, this.after(oldest - 1));
  }

  clear(): void {
    this.items = [];
  }

  /**
   * The horses of the picture at `pts`. With `predict` a picture newer than every observation gets the last one moved on
   * by the tracks' velocities, for at most 0.4 s; without, it gets nothing.
   */
  at(pts: number, predict = false): Known {
    const next = this.after(pts + this.tolerance);
    const before = this.items[next - 1];
    if (before === undefined) return NOTHING;
    if (Math.abs(before.pts - pts) <= this.tolerance) {
      return { kind: "observed", horses: before.horses, pts: before.pts, width: before.width, height: before.height };
    }
    const later = this.items[next];
    if (later !== undefined) return between(before, later, pts);
    return predict ? predicted(this.items[next - 2], before, pts) : NOTHING;
  }

  /** Where the middle of a track's box was in the `seconds` up to `pts`, oldest first. A break of 1.5 s ends the trail. */
  trail(trackId: number, pts: number, seconds: number): TrailPoint[] {
    const points: TrailPoint[] = [];
    let last = pts;
    for (let i = this.after(pts + this.tolerance) - 1; i >= 0; i--) {
      const item = this.items[i];
      if (item === undefined || item.pts < pts - seconds * TICKS || last - item.pts > BRIDGE_S * TICKS) break;
      const horse = item.horses.find((one) => one.track_id === trackId);
      if (horse === undefined) continue;
      last = item.pts;
      points.push({ x: horse.bbox.x + horse.bbox.width / 2, y: horse.bbox.y + horse.bbox.height / 2, pts: item.pts });
    }
    return points.reverse();
  }

  /** Index of the first observation later than `pts`. */
  private after(pts: number): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.items[middle]?.pts ?? Infinity) > pts) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function pair(a: Observation, b: Observation): [Horse, Horse][] {
  const later = new Map(b.horses.map((horse) => [horse.track_id, horse]));
  return a.horses.flatMap((horse): [Horse, Horse][] => {
    const other = later.get(horse.track_id);
    return other === undefined ? [] : [[horse, other]];
  });
}

function between(a: Observation, b: Observation, pts: number): Known {
  if (b.pts - a.pts > BRIDGE_S * TICKS || a.width !== b.width || a.height !== b.height) return NOTHING;
  const share = (pts - a.pts) / (b.pts - a.pts);
  const horses = pair(a, b).map(([from, to]) => mixHorse(from, to, share));
  return { kind: "between", horses, pts: b.pts, width: a.width, height: a.height };
}

function predicted(a: Observation | undefined, b: Observation, pts: number): Known {
  if (pts - b.pts > PREDICT_S * TICKS) return NOTHING;
  const steady = a !== undefined && b.pts - a.pts <= BRIDGE_S * TICKS && a.width === b.width;
  const past = new Map(steady ? a.horses.map((horse) => [horse.track_id, horse]) : []);
  const ratio = steady ? (pts - b.pts) / (b.pts - a.pts) : 0;
  const horses = b.horses.map((horse) => moveHorse(past.get(horse.track_id) ?? horse, horse, ratio));
  return { kind: "predicted", horses, pts: b.pts, width: b.width, height: b.height };
}

/** How far behind the newest fragment the live picture plays, and how it gets there. All times in seconds. */

export interface Span {
  start: number;
  end: number;
}

export interface Steering {
  /** Playback rate, 1 when all is well. */
  rate: number;
  /** Where to jump, or `null`. */
  seek: number | null;
}

/** Off by less than this is right. */
const TOLERANCE = 0.05;
/** Off by more than this is mended with a jump, not with patience. */
const JUMP = 1.5;

/**
 * Steer `time` towards `target` behind the end of the last buffered span. Small errors are played away at 0.85 to 1.15
 * times the speed; large ones, and holes left by a restart, are jumped over. In a hurry small ones are jumped over too.
 */
export function steer(spans: readonly Span[], time: number, target: number, hurry = false): Steering {
  const last = spans.at(-1);
  if (last === undefined) return { rate: 1, seek: null };
  const goal = Math.max(last.start, last.end - target);
  const here = spans.find((span) => time >= span.start - 0.02 && time <= span.end + 0.1);
  if (here === undefined) return { rate: 1, seek: goal };
  const stuck = here !== last && time >= here.end - 0.1;
  if (stuck) {
    const next = spans[spans.indexOf(here) + 1] ?? last;
    return { rate: 1, seek: next === last ? goal : next.start };
  }
  const error = last.end - time - target;
  if (Math.abs(error) > (hurry ? TOLERANCE : JUMP) && Math.abs(goal - time) > TOLERANCE) return { rate: 1, seek: goal };
  if (Math.abs(error) <= TOLERANCE) return { rate: 1, seek: null };
  return { rate: Math.min(1.15, Math.max(0.85, 1 + error / 2)), seek: null };
}

/** The delay of "as live as possible": two frames of a 25 fps camera against jitter. */
export const LIVE_DELAY = 0.08;
const START_DELAY = 0.8;
/** At the start, beyond the distance of two analysed pictures: what analysis takes on a machine that is not idle. */
const START_MARGIN = 0.6;
/** Analysed pictures further apart than this are a hole and have nothing between them. */
const LONGEST_STEP = 1.5;
const LEAST_DELAY = 0.15;
const MARGIN = 0.08;
const WINDOW = 60;
/** The delay comes down this much with each observation, so that one slow analysis does not make the picture swing. */
const DESCENT = 0.02;

/**
 * Measures the delay at which every picture finds its observations there.
 *
 * Pictures after one analysed picture need the next one, so when an observation arrives, the delay that would have
 * sufficed is the distance from the analysed picture *before* it to the newest fragment. Before there is one, the distances
 * of the observations that were there already tell how far apart they will come.
 */
export class DelayMeter {
  private needs: number[] = [];
  private lastPts: number | null = null;
  private current = START_DELAY;
  private from = Infinity;

  /** Count observations of pictures after `pts` (s) only: those before were there before the page was and came late for it. */
  start(pts: number): void {
    this.from = pts;
    this.lastPts = null;
  }

  /** `pts` of the observation that has just arrived and of the newest fragment, in seconds; 0 while there is none. */
  observed(pts: number, newest: number): void {
    const before = this.lastPts;
    this.lastPts = Math.max(before ?? pts, pts);
    if (before === null || pts <= before || pts - before > LONGEST_STEP) return;
    if (before < this.from || newest === 0) {
      this.current = Math.max(this.current, pts - before + START_MARGIN);
      return;
    }
    this.needs.push(newest - before);
    if (this.needs.length > WINDOW) this.needs.shift();
    const sorted = [...this.needs].sort((a, b) => a - b);
    const need = (sorted[Math.floor(0.97 * (sorted.length - 1))] ?? START_DELAY) + MARGIN;
    this.current = need > this.current ? need : Math.max(need, this.current - DESCENT);
  }

  /** The delay to play at; `most` is the longest the user accepts. */
  delay(most: number): number {
    return Math.min(Math.max(this.current, LEAST_DELAY), Math.max(most, LIVE_DELAY));
  }
}

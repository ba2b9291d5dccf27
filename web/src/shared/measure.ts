/**
 * Figures for benchmarks, read from the page itself: `window.__barnhand`. Two ring buffers, no work beyond one push a
 * presented picture or an observation. Described in docs/design/web.md.
 */

export interface PresentedFrame {
  stream: string;
  /** 90 kHz ticks of the picture. */
  pts: number;
  /** `mediaTime` of the picture (s). */
  mediaTime: number;
  /** Wall clock at which the browser expects it on the screen (ms since the Unix epoch). */
  displayMs: number;
  /** pts of the observation its overlay rests on, `null` when none was drawn. */
  drawnPts: number | null;
  kind: "observed" | "between" | "predicted" | "nothing";
}

export interface ArrivedObservation {
  stream: string;
  pts: number;
  wallUs: number;
  /** Wall clock at its arrival in the page (ms since the Unix epoch). */
  arrivedMs: number;
}

const KEEP = 3000;

class Ring<T> {
  private items: T[] = [];

  push(item: T): void {
    this.items.push(item);
    if (this.items.length > 2 * KEEP) this.items.splice(0, KEEP);
  }

  all(): T[] {
    return this.items.slice(-KEEP);
  }

  clear(): void {
    this.items = [];
  }
}

const frames = new Ring<PresentedFrame>();
const observations = new Ring<ArrivedObservation>();

export interface BarnHandHooks {
  version: 1;
  frames: () => PresentedFrame[];
  observations: () => ArrivedObservation[];
  clear: () => void;
}

declare global {
  interface Window {
    __barnhand?: BarnHandHooks;
  }
}

export function installHooks(): void {
  window.__barnhand = {
    version: 1,
    frames: () => frames.all(),
    observations: () => observations.all(),
    clear: () => {
      frames.clear();
      observations.clear();
    },
  };
}

export function recordFrame(frame: PresentedFrame): void {
  frames.push(frame);
}

export function recordObservation(stream: string, pts: number, wallUs: number): void {
  observations.push({ stream, pts, wallUs, arrivedMs: performance.timeOrigin + performance.now() });
}

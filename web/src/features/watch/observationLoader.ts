import { getObservations } from "@/shared/api/endpoints/observations";
import type { ObservationTimeline } from "@/shared/overlay/timeline";
import { nowUs } from "@/shared/time/format";

const BLOCK_US = 30_000_000;
/** The next block is fetched when this little of the current one is left. */
const AHEAD_US = 15_000_000;
/** Analysis of the newest pictures may still be on its way to the database. */
const SETTLE_US = 60_000_000;
const RETRY_MS = 4000;

/** Fetches observations in blocks of 30 s around the playhead into a timeline. */
export class ObservationLoader {
  /** Block number → when it may be asked for again (ms of `performance.now`); `Infinity` when it is complete. */
  private readonly blocks = new Map<number, number>();
  private readonly abort = new AbortController();

  constructor(
    private readonly streamId: string,
    private readonly timeline: ObservationTimeline,
    private readonly onLoaded: () => void,
  ) {}

  ensure(us: number): void {
    this.block(Math.floor(us / BLOCK_US));
    this.block(Math.floor((us + AHEAD_US) / BLOCK_US));
  }

  /** What is there already may have changed: each block is fetched again when it is needed. */
  again(): void {
    this.blocks.clear();
  }

  close(): void {
    this.abort.abort();
  }

  private block(number: number): void {
    const again = this.blocks.get(number);
    if (again !== undefined && performance.now() < again) return;
    this.blocks.set(number, Infinity);
    const end = (number + 1) * BLOCK_US;
    this.fetch(number * BLOCK_US, end).then(
      () => {
        if (end > nowUs() - SETTLE_US) this.blocks.set(number, performance.now() + RETRY_MS);
        this.onLoaded();
      },
      () => this.blocks.set(number, performance.now() + RETRY_MS),
    );
  }

  private async fetch(startUs: number, endUs: number): Promise<void> {
    let from: number | null = startUs;
    while (from !== null && from < endUs) {
      const page = await getObservations(this.streamId, from, endUs, this.abort.signal);
      for (const observation of page.observations) this.timeline.add(observation);
      from = page.next_us;
    }
  }
}

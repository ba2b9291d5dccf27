import Hls, { type Fragment } from "hls.js";
import { sentence } from "@/shared/api/client";
import { getChunks } from "@/shared/api/endpoints/chunks";
import { playlistUrl } from "@/shared/api/endpoints/playlist";
import type { Chunk } from "@/shared/api/types";
import { PLAYABLE, plays } from "@/shared/media/codec";
import { nowUs } from "@/shared/time/format";
import { layOut, mediaTimeOf, type Piece, pieces, ptsAt, wallAt } from "./chunkClock";

export type RecordedStatus =
  | { kind: "loading" }
  /** H.265 is made H.264 for this browser, which takes seconds. */
  | { kind: "converting" }
  | { kind: "ready" }
  /** Nothing was recorded from there on. */
  | { kind: "nothing" }
  | { kind: "failed"; message: string };

/** A playlist reaches this far back and ahead of where one starts to watch (µs). */
const BACK_US = 10 * 60e6;
const AHEAD_US = 60 * 60e6;
/** Asked to show a moment later than this before the end of all recordings, start there (µs). */
const TAIL_US = 2e6;

/** A chunk that is converted first comes late: the API gives up after 40 s and may be asked again. */
const RETRIES = { maxNumRetry: 3, retryDelayMs: 1000, maxRetryDelayMs: 8000 };
const PATIENT = { default: { maxTimeToFirstByteMs: 45_000, maxLoadTimeMs: 120_000, timeoutRetry: RETRIES, errorRetry: RETRIES } };

/** Plays recordings of one camera on a `<video>`, addressed by wall time. */
export class RecordedController {
  private hls: Hls | null = null;
  private chunks: Chunk[] = [];
  private planned: Piece[] = [];
  private load = 0;
  rate = 1;
  wantsPause = false;

  constructor(
    private readonly streamId: string,
    private readonly video: HTMLVideoElement,
    private readonly onStatus: (status: RecordedStatus) => void,
    private readonly onPicture: (width: number, height: number) => void,
    private readonly onConverted: (sourceMime: string | null) => void,
    private readonly onEnd: () => void,
  ) {
    video.addEventListener("ended", this.ended);
    video.addEventListener("playing", this.ready);
    video.addEventListener("seeked", this.ready);
  }

  ptsOf(mediaTime: number): number | null {
    return ptsAt(this.pieces(), mediaTime);
  }

  wallOf(mediaTime: number): number | null {
    return wallAt(this.pieces(), mediaTime);
  }

  /** Show the picture of `us`, or the next one that was recorded. */
  async seek(us: number): Promise<void> {
    const known = this.chunks.length > 0 && us >= (this.chunks[0]?.start_us ?? 0) ? mediaTimeOf(this.pieces(), us) : null;
    if (known !== null && this.hls !== null) {
      this.load += 1;
      this.video.currentTime = known;
      this.apply();
      return;
    }
    const load = ++this.load;
    this.onStatus({ kind: "loading" });
    try {
      const chunks = (await getChunks(this.streamId, Math.round(us - BACK_US), Math.round(us + AHEAD_US))).filter((c) => c.closed);
      if (load !== this.load) return;
      this.open(chunks, us);
    } catch (error) {
      if (load === this.load) this.onStatus({ kind: "failed", message: sentence(error) });
    }
  }

  apply(): void {
    this.video.playbackRate = this.rate;
    this.video.defaultPlaybackRate = this.rate;
    if (this.wantsPause) this.video.pause();
    else void this.video.play().catch(() => undefined);
  }

  close(): void {
    this.load += 1;
    this.video.removeEventListener("ended", this.ended);
    this.video.removeEventListener("playing", this.ready);
    this.video.removeEventListener("seeked", this.ready);
    this.hls?.destroy();
    this.hls = null;
  }

  private open(chunks: Chunk[], us: number): void {
    const last = chunks.at(-1);
    const first = chunks[0];
    if (last === undefined || first === undefined) {
      this.onStatus({ kind: "nothing" });
      return;
    }
    const foreign = chunks.find((chunk) => !plays(chunk.mime))?.mime ?? null;
    if (foreign !== null) this.onStatus({ kind: "converting" });
    this.onConverted(foreign);
    this.chunks = chunks;
    this.planned = layOut(chunks);
    const from = mediaTimeOf(this.planned, Math.min(us, last.end_us - TAIL_US)) ?? 0;
    this.onPicture(last.width, last.height);
    this.hls?.destroy();
    const hls = new Hls({
      startPosition: from,
      maxBufferLength: 30,
      backBufferLength: 60,
      maxBufferHole: 0.5,
      ...(foreign !== null && { fragLoadPolicy: PATIENT }),
    });
    this.hls = hls;
    hls.on(Hls.Events.ERROR, (_event, data) => {
      if (data.fatal) this.onStatus({ kind: "failed", message: "The recording could not be read. Choose another moment, or try again." });
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.apply());
    // The end lies just inside the last finished chunk: one that is still being written can not be in a playlist.
    hls.loadSource(playlistUrl(this.streamId, first.start_us, last.start_us + 1, foreign === null ? undefined : PLAYABLE));
    hls.attachMedia(this.video);
  }

  private pieces(): Piece[] {
    const fragments: Fragment[] | undefined = this.hls?.levels[0]?.details?.fragments;
    return fragments === undefined ? this.planned : pieces(fragments, this.chunks);
  }

  private readonly ready = () => this.onStatus({ kind: "ready" });

  /** The end of the playlist: go on with what was recorded since, or tell that there is no more. */
  private readonly ended = () => {
    const end = this.chunks.at(-1)?.end_us;
    if (end === undefined) return;
    const load = ++this.load;
    getChunks(this.streamId, end, nowUs() + AHEAD_US)
      .then((found) => {
        if (load !== this.load) return;
        const more = found.filter((chunk) => chunk.closed && chunk.start_us >= end - 1);
        if (more.length === 0) this.onEnd();
        else this.open(more, end);
      })
      .catch(() => this.onEnd());
  };
}

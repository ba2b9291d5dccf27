import { DelayMeter, LIVE_DELAY, steer } from "@/shared/media/livePolicy";
import { PLAYABLE, plays } from "@/shared/media/codec";
import { MediaSink } from "@/shared/media/sink";
import { ApiSocket } from "@/shared/media/socket";
import { type ConversionNote, type InitNote, readNote, readSegment } from "@/shared/media/wire";
import { type Observation, TICKS } from "@/shared/overlay/observation";
import type { Pace } from "@/shared/overlay/layers";

export type LiveStatus =
  | { kind: "connecting" }
  | { kind: "playing" }
  | { kind: "lost" }
  | { kind: "unplayable"; mime: string }
  /** The browser can not play what the camera sends, and it can not be converted now. */
  | { kind: "unconverted"; mime: string; message: string }
  | { kind: "refused"; code: number };

const STEER_MS = 100;
const REBUILD_MS = 1000;
/** What the server held ready has come after this long; from then on arrivals tell how long analysis takes (ms). */
const SETTLE_MS = 700;

/** Keeps one `<video>` playing a camera live: connection, buffer, and how far behind it plays. */
export class LiveController {
  private readonly meter = new DelayMeter();
  private readonly timer: ReturnType<typeof setInterval>;
  private socket: ApiSocket;
  private sink: MediaSink | null = null;
  private note: InitNote | null = null;
  /** What the camera sends where this browser can not play it: from then on the converted stream is asked for. */
  private source: string | null = null;
  private newest = 0;
  private rebuild: ReturnType<typeof setTimeout> | null = null;
  private settle: ReturnType<typeof setTimeout> | null = null;
  private pace: Pace = "locked";
  /** The person asked for another pace: go there at once, not by and by. */
  private hurry = false;
  /** The longest delay that the user accepts (s). */
  mostDelay = 30;

  constructor(
    private readonly streamId: string,
    private readonly video: HTMLVideoElement,
    private readonly onStatus: (status: LiveStatus) => void,
    private readonly onPicture: (note: InitNote) => void,
    private readonly onConverted: (sourceMime: string | null) => void,
  ) {
    this.socket = this.connect();
    this.timer = setInterval(() => this.steer(), STEER_MS);
    video.addEventListener("playing", this.playing);
    video.addEventListener("error", this.broken);
  }

  /** Seconds that the picture is meant to be behind the newest fragment. */
  get delay(): number {
    return this.pace === "live" ? LIVE_DELAY : this.meter.delay(this.mostDelay);
  }

  get predicts(): boolean {
    return this.pace === "live";
  }

  setPace(pace: Pace): void {
    if (pace === this.pace) return;
    this.pace = pace;
    this.hurry = true;
  }

  observed(observation: Observation): void {
    this.meter.observed(observation.pts / TICKS, this.newest / TICKS);
  }

  close(): void {
    clearInterval(this.timer);
    if (this.rebuild !== null) clearTimeout(this.rebuild);
    if (this.settle !== null) clearTimeout(this.settle);
    this.video.removeEventListener("playing", this.playing);
    this.video.removeEventListener("error", this.broken);
    this.socket.close();
    this.sink?.close();
  }

  private connect(): ApiSocket {
    return new ApiSocket(
      `/v1/live/${this.streamId}`,
      {
        text: (data) => {
          const note = readNote(data);
          if (note?.type === "init") this.note = note;
          if (note?.type === "conversion") this.converted(note);
        },
        query: (): Record<string, string> => (this.source === null ? {} : { codec: PLAYABLE }),
        binary: (data) => this.receive(data),
        online: (open) => {
          if (!open) this.onStatus({ kind: "lost" });
        },
        refused: (code) => this.onStatus({ kind: "refused", code }),
      },
      true,
    );
  }

  private receive(message: ArrayBuffer): void {
    const segment = readSegment(message);
    if (segment === null) return;
    if (segment.kind === "init") {
      this.begin(segment.data);
      return;
    }
    if (segment.kind !== "audio") this.newest = Math.max(this.newest, segment.pts);
    this.sink?.fragment(segment.data);
  }

  private begin(data: Uint8Array<ArrayBuffer>): void {
    const { note } = this;
    if (note === null) return;
    this.newest = 0;
    this.onPicture(note);
    if (this.settle !== null) clearTimeout(this.settle);
    this.settle = setTimeout(() => this.meter.start(this.newest / TICKS), SETTLE_MS);
    if (!plays(note.mime)) {
      this.sink?.close();
      this.sink = null;
      if (this.source === null) this.convert(note.mime);
      else this.onStatus({ kind: "unplayable", mime: note.mime });
      return;
    }
    if (this.source === null) this.onConverted(null);
    this.sink ??= new MediaSink(this.video, () => this.broken());
    this.sink.init(note.mime, data);
  }

  /** Ask for the same camera in a codec that every browser plays. */
  private convert(mime: string): void {
    this.source = mime;
    this.onStatus({ kind: "connecting" });
    this.socket.close();
    this.socket = this.connect();
  }

  private converted(note: ConversionNote): void {
    if (note.source_mime !== "") this.source = note.source_mime;
    const mime = this.source ?? note.source_mime;
    if (note.status === "waiting" || note.status === "failed") {
      this.onConverted(null);
      this.onStatus({ kind: "unconverted", mime, message: note.message });
    } else {
      this.onConverted(note.status === "converting" && mime !== "" ? mime : null);
    }
  }

  private steer(): void {
    const { sink, video } = this;
    if (sink === null) return;
    const spans = sink.spans;
    if (spans.length === 0) return;
    const { rate, seek } = steer(spans, video.currentTime, this.delay, this.hurry);
    this.hurry = false;
    if (seek !== null) video.currentTime = seek;
    if (video.playbackRate !== rate) video.playbackRate = rate;
    if (video.paused) void video.play().catch(() => undefined);
  }

  private readonly playing = () => this.onStatus({ kind: "playing" });

  /** A picture the decoder choked on: start anew from the next key frame. */
  private readonly broken = () => {
    if (this.rebuild !== null || this.sink === null) return;
    this.onStatus({ kind: "lost" });
    this.socket.close();
    this.rebuild = setTimeout(() => {
      this.rebuild = null;
      this.sink?.close();
      this.sink = null;
      this.socket = this.connect();
    }, REBUILD_MS);
  };
}

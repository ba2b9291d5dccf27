import type { Span } from "./livePolicy";

/** Seconds behind the picture that stay buffered; older ones are dropped so that a page may stay open for days. */
const KEEP_S = 20;

interface Part {
  data: Uint8Array<ArrayBuffer>;
  /** Set on init segments. */
  mime: string | null;
}

declare global {
  interface Window {
    /** Safari on iPhones has this one alone. */
    ManagedMediaSource?: typeof MediaSource;
  }
}

/** The browser's MediaSource, or `null` where there is none. */
export function mediaSourceClass(): typeof MediaSource | null {
  return window.ManagedMediaSource ?? (typeof MediaSource === "undefined" ? null : MediaSource);
}

/**
 * Appends init segments and fragments to a `<video>` in order. A new init segment (the recorder was restarted, the camera
 * changed its resolution) goes into the same buffer by `changeType`, so playback goes on without a reload.
 */
export class MediaSink {
  private readonly source: MediaSource;
  private readonly url: string;
  private buffer: SourceBuffer | null = null;
  private queue: Part[] = [];
  private mime: string | null = null;
  private failed = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly onError: (message: string) => void,
  ) {
    const MediaSourceClass = mediaSourceClass();
    if (MediaSourceClass === null) throw new Error("This browser has no Media Source Extensions.");
    this.source = new MediaSourceClass();
    this.url = URL.createObjectURL(this.source);
    video.disableRemotePlayback = true;
    video.src = this.url;
    this.source.addEventListener("sourceopen", () => this.pump());
  }

  init(mime: string, data: Uint8Array<ArrayBuffer>): void {
    this.queue.push({ data, mime });
    this.pump();
  }

  fragment(data: Uint8Array<ArrayBuffer>): void {
    this.queue.push({ data, mime: null });
    this.pump();
  }

  get spans(): Span[] {
    if (this.buffer === null || this.source.readyState !== "open") return [];
    const ranges = this.buffer.buffered;
    return Array.from({ length: ranges.length }, (_, i) => ({ start: ranges.start(i), end: ranges.end(i) }));
  }

  close(): void {
    this.failed = true;
    this.queue = [];
    URL.revokeObjectURL(this.url);
    this.video.removeAttribute("src");
    this.video.load();
  }

  private pump(): void {
    if (this.failed || this.source.readyState !== "open" || this.buffer?.updating === true) return;
    const part = this.queue[0];
    if (part === undefined) {
      this.forget();
      return;
    }
    try {
      if (part.mime !== null) {
        const buffer = this.prepare(part.mime);
        this.queue.shift();
        buffer.appendBuffer(part.data);
      } else if (this.buffer === null) {
        this.queue.shift();
        this.pump();
      } else {
        this.buffer.appendBuffer(this.takeFragments());
      }
    } catch (error) {
      this.recover(error);
    }
  }

  private prepare(mime: string): SourceBuffer {
    if (this.buffer === null) {
      this.buffer = this.source.addSourceBuffer(mime);
      this.buffer.mode = "segments";
      this.buffer.addEventListener("updateend", () => this.pump());
      this.buffer.addEventListener("error", () => this.fail("The browser could not read the video of this camera."));
    } else {
      this.buffer.abort();
      if (mime !== this.mime) this.buffer.changeType(mime);
    }
    this.mime = mime;
    return this.buffer;
  }

  /** All waiting fragments up to the next init segment in one piece: one append each keeps a slow machine busy. */
  private takeFragments(): Uint8Array<ArrayBuffer> {
    const stop = this.queue.findIndex((part) => part.mime !== null);
    const parts = this.queue.splice(0, stop < 0 ? this.queue.length : stop);
    const [first] = parts;
    if (parts.length === 1 && first !== undefined) return first.data;
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.data.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part.data, at);
      at += part.data.length;
    }
    return all;
  }

  private forget(): void {
    const start = this.spans[0]?.start;
    const limit = this.video.currentTime - KEEP_S;
    if (start !== undefined && start < limit - KEEP_S) this.buffer?.remove(0, limit);
  }

  private recover(error: unknown): void {
    if (error instanceof DOMException && error.name === "QuotaExceededError" && this.buffer !== null) {
      const limit = this.video.currentTime - 2;
      if (limit > (this.spans[0]?.start ?? Infinity)) {
        this.buffer.remove(0, limit);
        return;
      }
    }
    this.fail(error instanceof Error ? error.message : String(error));
  }

  private fail(message: string): void {
    if (this.failed) return;
    this.failed = true;
    this.queue = [];
    this.onError(message);
  }
}

/** Messages of `/v1/live/{id}`: JSON before each init segment, then binary ones with a header of 24 bytes. */

export const HEADER_BYTES = 24;

export type SegmentKind = "delta" | "key" | "init" | "audio";

const KINDS: readonly SegmentKind[] = ["delta", "key", "init", "audio"];

export interface Segment {
  kind: SegmentKind;
  /** Microseconds since the Unix epoch. */
  wallUs: number;
  /** 90 kHz ticks. */
  pts: number;
  data: Uint8Array<ArrayBuffer>;
}

export interface InitNote {
  type: "init";
  run: number;
  /** e.g. `video/mp4; codecs="avc1.64001f"` */
  mime: string;
  width: number;
  height: number;
}

/** What becomes of the wish to have a camera converted (`?codec=h264`). */
export interface ConversionNote {
  type: "conversion";
  status: "converting" | "untouched" | "waiting" | "failed";
  /** A sentence for a person. */
  message: string;
  /** What the camera itself sends. */
  source_mime: string;
}

/** Read a binary message, or `null` when it is none of ours. */
export function readSegment(message: ArrayBuffer): Segment | null {
  if (message.byteLength < HEADER_BYTES) return null;
  const view = new DataView(message);
  const kind = KINDS[view.getUint8(0)];
  if (kind === undefined) return null;
  return {
    kind,
    wallUs: Number(view.getBigUint64(8)),
    pts: Number(view.getBigUint64(16)),
    data: new Uint8Array(message, HEADER_BYTES),
  };
}

/** Read a text message, or `null` when it is none that is known. */
export function readNote(text: string): InitNote | ConversionNote | null {
  const note: unknown = JSON.parse(text);
  if (typeof note !== "object" || note === null || !("type" in note)) return null;
  return note.type === "init" || note.type === "conversion" ? (note as InitNote | ConversionNote) : null;
}

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

export function readInitNote(text: string): InitNote | null {
  const note: unknown = JSON.parse(text);
  if (typeof note !== "object" || note === null || !("type" in note) || note.type !== "init") return null;
  return note as InitNote;
}

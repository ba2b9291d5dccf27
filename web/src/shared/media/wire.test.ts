import { describe, expect, it } from "vitest";
import { readNote, readSegment } from "./wire";

function message(kind: number, wallUs: bigint, pts: bigint, body: number[]): ArrayBuffer {
  const bytes = new Uint8Array(24 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setBigUint64(8, wallUs);
  view.setBigUint64(16, pts);
  bytes.set(body, 24);
  return bytes.buffer;
}

describe("readSegment", () => {
  it.each([
    [0, "delta"],
    [1, "key"],
    [2, "init"],
    [3, "audio"],
  ] as const)("kind %i is %s", (kind, name) => {
    expect(readSegment(message(kind, 1_795_358_937_457_788n, 161_582_304_371_201n, [1, 2, 3]))).toEqual({
      kind: name,
      wallUs: 1_795_358_937_457_788,
      pts: 161_582_304_371_201,
      data: new Uint8Array([1, 2, 3]),
    });
  });

  it.each([
    ["shorter than its header", new ArrayBuffer(23)],
    ["of a kind nobody knows", message(9, 0n, 0n, [])],
  ])("takes nothing from a message that is %s", (_name, data) => {
    expect(readSegment(data)).toBeNull();
  });
});

describe("readNote", () => {
  it("reads what comes before an init segment", () => {
    const note = { type: "init", run: 7, mime: 'video/mp4; codecs="avc1.64001f"', width: 1280, height: 720 };
    expect(readNote(JSON.stringify(note))).toEqual(note);
  });

  it("reads what becomes of a conversion", () => {
    const note = { type: "conversion", status: "waiting", message: "Another camera is being converted.", source_mime: "video/mp4" };
    expect(readNote(JSON.stringify(note))).toEqual(note);
  });

  it("leaves other messages alone", () => {
    expect(readNote('{"type": "ping"}')).toBeNull();
  });
});

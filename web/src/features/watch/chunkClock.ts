import type { Chunk } from "@/shared/api/types";
import { TICKS } from "@/shared/overlay/observation";

/** A piece of a playlist as the player laid it on its own time axis (s), with the chunk it is. */
export interface Piece {
  start: number;
  duration: number;
  chunk: Chunk;
}

/** Media times at a seam are off by the browser's microseconds (s). */
const SEAM_S = 0.002;

/** Join the player's fragments to chunks by the address that the playlist gives them (`relurl`). */
export function pieces(
  fragments: readonly { start: number; duration: number; relurl?: string | undefined }[],
  chunks: readonly Chunk[],
): Piece[] {
  const byAddress = new Map(chunks.map((chunk) => [chunk.media, chunk]));
  return fragments.flatMap(({ start, duration, relurl }) => {
    // A chunk that is converted has the same address with what it is converted to behind it.
    const chunk = byAddress.get((relurl ?? "").split("?")[0] ?? "");
    return chunk === undefined ? [] : [{ start, duration, chunk }];
  });
}

function pieceAt(all: readonly Piece[], mediaTime: number): Piece | undefined {
  return all.findLast((piece) => piece.start <= mediaTime + SEAM_S);
}

/** pts of the picture at `mediaTime`: the chunk's own start plus how far into it the player is. */
export function ptsAt(all: readonly Piece[], mediaTime: number): number | null {
  const piece = pieceAt(all, mediaTime);
  if (piece === undefined) return null;
  return piece.chunk.start_pts + Math.max(0, Math.round((mediaTime - piece.start) * TICKS));
}

/** Wall time (µs) of the picture at `mediaTime`. */
export function wallAt(all: readonly Piece[], mediaTime: number): number | null {
  const piece = pieceAt(all, mediaTime);
  if (piece === undefined) return null;
  return piece.chunk.start_us + Math.max(0, Math.round((mediaTime - piece.start) * 1e6));
}

/** Where on the player's axis `us` is (s); in a gap, the next recorded picture. `null` after the last one. */
export function mediaTimeOf(all: readonly Piece[], us: number): number | null {
  const piece = all.find(({ chunk }) => chunk.end_us > us);
  if (piece === undefined) return null;
  return piece.start + Math.max(0, us - piece.chunk.start_us) / 1e6;
}

/** The axis before the player has read anything: chunks one after another, as the playlist lists them. */
export function layOut(chunks: readonly Chunk[]): Piece[] {
  let start = 0;
  return chunks.map((chunk) => {
    const duration = (chunk.end_pts - chunk.start_pts) / TICKS;
    const piece = { start, duration, chunk };
    start += duration;
    return piece;
  });
}

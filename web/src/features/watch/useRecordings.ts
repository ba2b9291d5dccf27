import { useCallback, useEffect, useRef, useState } from "react";
import { sentence } from "@/shared/api/client";
import { getChunks } from "@/shared/api/endpoints/chunks";
import { getGaps } from "@/shared/api/endpoints/gaps";
import type { Chunk, Gap } from "@/shared/api/types";
import { nowUs } from "@/shared/time/format";
import { HOUR_US, joinChunks, recorded, type Stretch } from "./strip";

export interface Recordings {
  spans: Stretch[];
  /** What of it is kept whatever its age. */
  kept: Stretch[];
  gaps: Gap[];
  /** `true` once the first answer is there. */
  loaded: boolean;
  error: string | null;
  /** The page's clock when this was asked (µs). */
  now: number;
  /** Ask for all of it again, after something was kept or let go. */
  refresh: () => void;
}

const EVERY_MS = 10_000;
const DAY_US = 24 * HOUR_US;

/** What was recorded of the last 24 hours; after the first time only what is new is asked for. */
export function useRecordings(streamId: string): Recordings {
  const [state, setState] = useState<Omit<Recordings, "refresh">>(() => ({
    spans: [],
    kept: [],
    gaps: [],
    loaded: false,
    error: null,
    now: nowUs(),
  }));
  const again = useRef<(() => void) | null>(null);
  const refresh = useCallback(() => again.current?.(), []);

  useEffect(() => {
    const abort = new AbortController();
    let chunks: Chunk[] = [];
    const run = async () => {
      const now = nowUs();
      const from = now - DAY_US;
      try {
        const [newer, gaps] = await Promise.all([
          getChunks(streamId, chunks.at(-1)?.start_us ?? from, now + HOUR_US, abort.signal),
          getGaps(streamId, from, now + HOUR_US, abort.signal),
        ]);
        chunks = joinChunks(chunks, newer, from);
        const kept = recorded(chunks.filter((chunk) => chunk.protected));
        setState({ spans: recorded(chunks), kept, gaps, loaded: true, error: null, now });
      } catch (error) {
        if (!abort.signal.aborted) setState((old) => ({ ...old, error: sentence(error) }));
      }
    };
    void run();
    again.current = () => {
      chunks = [];
      void run();
    };
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void run();
    }, EVERY_MS);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [streamId]);

  return { ...state, refresh };
}

import { useCallback, useEffect, useRef, useState } from "react";
import { sentence } from "./client";

export interface Resource<T> {
  /** The newest answer, kept while a refresh runs or fails. */
  data: T | undefined;
  error: string | null;
  loading: boolean;
  refresh: () => void;
}

/**
 * The answer of `fetcher`, fetched again when it changes (keep it stable with `useCallback`) and every `everyMs` while the
 * page is visible. `null` fetches nothing.
 */
export function useResource<T>(fetcher: ((signal: AbortSignal) => Promise<T>) | null, everyMs?: number): Resource<T> {
  const [state, setState] = useState<{ data: T | undefined; error: string | null; loading: boolean }>({
    data: undefined,
    error: null,
    loading: fetcher !== null,
  });
  const rerun = useRef<() => void>(() => undefined);

  useEffect(() => {
    if (fetcher === null) return;
    const abort = new AbortController();
    const run = () => {
      fetcher(abort.signal).then(
        (data) => {
          if (!abort.signal.aborted) setState({ data, error: null, loading: false });
        },
        (error: unknown) => {
          if (!abort.signal.aborted) setState((old) => ({ data: old.data, error: sentence(error), loading: false }));
        },
      );
    };
    rerun.current = run;
    run();
    const timer =
      everyMs === undefined
        ? null
        : setInterval(() => {
            if (document.visibilityState === "visible") run();
          }, everyMs);
    return () => {
      abort.abort();
      if (timer !== null) clearInterval(timer);
    };
  }, [fetcher, everyMs]);

  const refresh = useCallback(() => rerun.current(), []);
  return { ...state, refresh };
}

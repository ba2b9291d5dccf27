import { create } from "zustand";
import { sentence } from "@/shared/api/client";
import { deleteStream, patchStream, startStream, stopStream, type StreamChange } from "@/shared/api/endpoints/stream";
import { getStreams, type NewStream, postStream } from "@/shared/api/endpoints/streams";
import type { Stream, StreamState } from "@/shared/api/types";

interface StreamStore {
  streams: Stream[];
  /** `true` once the first list has come. */
  loaded: boolean;
  /** Why the list could not be fetched; the last one stays. */
  error: string | null;
  /** Streams with a request under way. */
  busy: ReadonlySet<string>;
  fetch: () => Promise<void>;
  add: (config: NewStream) => Promise<Stream>;
  change: (id: string, change: StreamChange) => Promise<void>;
  remove: (id: string) => Promise<void>;
  /** Stop a stream that runs or tries to; start one that is stopped. */
  toggle: (id: string) => Promise<void>;
  /** What the analysts tell, by stream. */
  analysis: Readonly<Record<string, StreamState>>;
  /** A state as the WebSocket tells it, newer than the list. */
  tell: (id: string, role: "recorder" | "analyst", state: StreamState) => void;
}

export const useStreams = create<StreamStore>()((set, get) => {
  const working = async (id: string, work: () => Promise<void>): Promise<void> => {
    set({ busy: new Set([...get().busy, id]) });
    try {
      await work();
    } finally {
      set({ busy: new Set([...get().busy].filter((one) => one !== id)) });
    }
  };
  const replace = (stream: Stream) =>
    set({ streams: get().streams.map((one) => (one.id === stream.id ? stream : one)) });

  return {
    streams: [],
    loaded: false,
    error: null,
    busy: new Set(),
    analysis: {},
    fetch: async () => {
      try {
        set({ streams: await getStreams(), loaded: true, error: null });
      } catch (error) {
        set({ error: sentence(error) });
      }
    },
    add: async (config) => {
      const stream = await postStream(config);
      set({ streams: [...get().streams, stream] });
      return stream;
    },
    change: (id, change) => working(id, async () => replace(await patchStream(id, change))),
    remove: (id) =>
      working(id, async () => {
        await deleteStream(id);
        set({ streams: get().streams.filter((one) => one.id !== id) });
      }),
    toggle: (id) =>
      working(id, async () => {
        const stream = get().streams.find((one) => one.id === id);
        if (stream !== undefined) replace(await (stream.status === "inactive" ? startStream(id) : stopStream(id)));
      }),
    tell: (id, role, state) => {
      if (role === "analyst") set({ analysis: { ...get().analysis, [id]: state } });
      // A recorder's last word about a camera that was stopped by hand changes nothing.
      else set({ streams: get().streams.map((one) => (one.id === id ? withState(one, state) : one)) });
    },
  };
});

function withState(stream: Stream, state: StreamState): Stream {
  const status = stream.status === "inactive" || state.status === "inactive" ? stream.status : state.status;
  return { ...stream, state, status };
}

export function useStream(id: string): Stream | undefined {
  return useStreams((store) => store.streams.find((one) => one.id === id));
}

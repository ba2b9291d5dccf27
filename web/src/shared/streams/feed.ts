import type { StreamState } from "@/shared/api/types";
import { recordObservation } from "@/shared/measure";
import { ApiSocket } from "@/shared/media/socket";
import type { Observation } from "@/shared/overlay/observation";
import { useStreams } from "./store";

/** Other events of the stream come by too and are not for the page. */
type Message = ({ type: "detection:update" } & Observation) | ({ type: "state"; role: "recorder" | "analyst" } & StreamState)
  | { type: "chunk:created" };

export type FeedListener = (observation: Observation) => void;

/** One WebSocket a stream, shared by all who listen; closed when the last one leaves. */
class Feed {
  readonly listeners = new Set<FeedListener>();
  private readonly socket: ApiSocket;
  /** Of the newest observation, to go on from after a break. */
  private lastUs: number | null = null;

  constructor(private readonly streamId: string) {
    this.socket = new ApiSocket(`/v1/ws/streams/${streamId}`, {
      text: (data) => this.hear(data),
      query: () => (this.lastUs === null ? {} : { since: String(this.lastUs) }),
    });
  }

  close(): void {
    this.socket.close();
  }

  private hear(data: string): void {
    const message = JSON.parse(data) as Message;
    if (message.type === "state") {
      useStreams.getState().tell(this.streamId, message.role, message);
    } else if (message.type === "detection:update") {
      this.lastUs = Math.max(this.lastUs ?? 0, message.wall_us);
      recordObservation(this.streamId, message.pts, message.wall_us);
      for (const listener of this.listeners) listener(message);
    }
  }
}

const feeds = new Map<string, Feed>();

/** Hear the observations of a stream; its states go to the store of streams. Returns the way to stop. */
export function listen(streamId: string, listener: FeedListener): () => void {
  const feed = feeds.get(streamId) ?? new Feed(streamId);
  feeds.set(streamId, feed);
  feed.listeners.add(listener);
  return () => {
    feed.listeners.delete(listener);
    if (feed.listeners.size > 0) return;
    feed.close();
    feeds.delete(streamId);
  };
}

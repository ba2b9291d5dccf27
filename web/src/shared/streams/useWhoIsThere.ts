import { useEffect, useState } from "react";
import { type Horse, horseName } from "@/shared/overlay/observation";
import { listen } from "./feed";

/** A horse stays on the list this long after it was last seen, or one missed picture would make names blink (ms). */
const STAY_MS = 3000;

export interface Present {
  /** The horse where it is known, else the track: two strangers are two. */
  key: string;
  name: string;
  horse: Horse;
}

export function presentOf(horse: Horse): Present {
  return { key: horse.horse_id ?? horse.name ?? String(horse.track_id), name: horseName(horse), horse };
}

export type Seen = Map<string, { at: number; item: Present }>;

/** Takes in a picture's horses. A track that was given its name is the same animal: what it was called before goes. */
export function remember(seen: Seen, horses: readonly Horse[], at: number): void {
  for (const horse of horses) {
    const item = presentOf(horse);
    for (const [key, before] of seen) {
      if (key !== item.key && before.item.horse.track_id === horse.track_id) seen.delete(key);
    }
    seen.set(item.key, { at, item });
  }
}

/** Who is before a camera now; `null` while no picture was analysed in the last ten seconds. */
export function useWhoIsThere(streamId: string, enabled = true): Present[] | null {
  const [present, setPresent] = useState<Present[] | null>(null);

  useEffect(() => {
    if (!enabled) return;
    const seen: Seen = new Map();
    let heard = 0;
    const stop = listen(streamId, (observation) => {
      heard = performance.now();
      remember(seen, observation.horses, heard);
    });
    const timer = setInterval(() => {
      const now = performance.now();
      for (const [key, { at }] of seen) if (now - at > STAY_MS) seen.delete(key);
      const items = [...seen.values()].map(({ item }) => item).sort((a, b) => a.name.localeCompare(b.name));
      setPresent(now - heard > 10_000 ? null : items);
    }, 500);
    return () => {
      stop();
      clearInterval(timer);
      setPresent(null);
    };
  }, [streamId, enabled]);

  return present;
}

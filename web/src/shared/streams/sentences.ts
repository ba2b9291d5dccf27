import type { Stream, StreamState } from "@/shared/api/types";
import { agoWords } from "@/shared/time/format";

/** How a camera is, for a person: a colour and an icon (`tone`), a word, and a sentence that says what to do. */
export interface StateWords {
  tone: "live" | "wait" | "off" | "bad" | "past";
  word: string;
  sentence: string;
}

type Cause = StreamState["cause"];

/** Word and advice for each cause; the API's own message, where there is one, is more exact and shown beside it. */
const CAUSES: Readonly<Record<Exclude<Cause, "none">, readonly [word: string, advice: string]>> = {
  connecting: ["Connecting", "The camera is being called."],
  wrong_password: ["Wrong password", "The camera refused the user name or password. Correct them in its settings."],
  not_found: ["Not found", "The camera answers, but has nothing at this path. Check the end of the address."],
  unreachable: ["Unreachable", "Nothing answers at this address. Check the power, the cable and the address."],
  timed_out: ["No answer", "The camera took too long to answer. It is called again by itself."],
  unsupported_codec: ["Wrong format", "The camera sends video that is not H.264 or H.265. Change it in the camera's own settings."],
  not_video: ["No video", "There is no video at this address."],
  damaged: ["Damaged video", "The video can not be read. If this lasts, restart the camera."],
  stalled: ["Stalled", "The camera stopped sending. It is called again by itself."],
  ended: ["Ended", "The video has come to its end."],
  disk_full: ["Disk full", "There is no room left to record. Free some space or shorten how long recordings are kept."],
  stopped: ["Stopped", "This camera is stopped. Start it to record and watch."],
  restarted: ["Restarting", "The recorder was restarted and calls the camera again."],
};

/** In the place of the state while a person looks at a recording, so that nobody takes it for now. */
export const RECORDED: StateWords = { tone: "past", word: "Recording", sentence: "What you see is recorded. Go live to see the camera now." };

const WAITING: ReadonlySet<Cause> = new Set<Cause>(["connecting", "stalled", "timed_out", "restarted"]);

export function describeState(stream: Pick<Stream, "status" | "state" | "source_type">, nowUs: number): StateWords {
  const state = stream.state ?? null;
  if (stream.status === "inactive") return { tone: "off", word: "Stopped", sentence: CAUSES.stopped[1] };
  if (state === null) return { tone: "wait", word: "Starting", sentence: "Waiting for the first word from the recorder." };
  if (state.cause === "none" && state.status === "active") {
    return { tone: "live", word: "Live", sentence: `Recording since ${agoWords(state.since_us, nowUs)}.` };
  }
  if (state.cause === "none") return { tone: "bad", word: "Trouble", sentence: state.message || "The camera is in trouble." };
  const [word, advice] = CAUSES[state.cause];
  const tone = WAITING.has(state.cause) ? "wait" : state.cause === "stopped" ? "off" : "bad";
  // Of a file there is no cable to check and no camera to restart: the recorder's own words are the better advice.
  const own = stream.source_type === "file" && state.message !== "";
  return { tone, word, sentence: own ? asSentence(state.message) : advice };
}

function asSentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
}

/** Why a stretch was not recorded, in two or three words. */
export function gapWords(cause: Cause): string {
  return cause === "none" ? "Not recorded" : CAUSES[cause][0];
}

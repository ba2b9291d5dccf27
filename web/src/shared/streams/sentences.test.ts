import { describe, expect, it } from "vitest";
import type { StreamState } from "@/shared/api/types";
import { describeState, gapWords } from "./sentences";

const NOW = 1_795_000_000e6;
const state = (cause: StreamState["cause"], status: StreamState["status"] = "error"): StreamState => ({
  status,
  cause,
  message: "from the recorder",
  since_us: NOW - 300e6,
  details: {},
});

describe("a camera's state in words", () => {
  it.each([
    { status: "inactive" as const, told: null, tone: "off", word: "Stopped" },
    { status: "inactive" as const, told: state("none", "active"), tone: "off", word: "Stopped" },
    { status: "active" as const, told: null, tone: "wait", word: "Starting" },
    { status: "active" as const, told: state("none", "active"), tone: "live", word: "Live" },
    { status: "error" as const, told: state("connecting"), tone: "wait", word: "Connecting" },
    { status: "error" as const, told: state("stalled"), tone: "wait", word: "Stalled" },
    { status: "error" as const, told: state("wrong_password"), tone: "bad", word: "Wrong password" },
    { status: "error" as const, told: state("not_found"), tone: "bad", word: "Not found" },
    { status: "error" as const, told: state("unreachable"), tone: "bad", word: "Unreachable" },
    { status: "error" as const, told: state("unsupported_codec"), tone: "bad", word: "Wrong format" },
    { status: "error" as const, told: state("disk_full"), tone: "bad", word: "Disk full" },
  ])("$status, $told.cause: $word", ({ status, told, tone, word }) => {
    expect(describeState({ source_type: "rtsp", status, state: told }, NOW)).toMatchObject({ tone, word });
  });

  it("says since when a camera is recorded", () => {
    expect(describeState({ source_type: "rtsp", status: "active", state: state("none", "active") }, NOW).sentence).toBe("Recording since 5 min ago.");
  });

  it("says what to do about four different failures in four different sentences", () => {
    const causes = ["wrong_password", "not_found", "unreachable", "unsupported_codec"] as const;
    const sentences = causes.map((cause) => describeState({ source_type: "rtsp", status: "error", state: state(cause) }, NOW).sentence);
    expect(new Set(sentences).size).toBe(4);
  });

  it("says of a file what the recorder says: it has no cable to check", () => {
    const file = { source_type: "file", status: "error", state: state("damaged") } as const;
    expect(describeState(file, NOW)).toMatchObject({ word: "Damaged video", sentence: "From the recorder." });
  });

  it("names the cause of a gap", () => {
    expect(gapWords("restarted")).toBe("Restarting");
  });
});

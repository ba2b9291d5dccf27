import { useState } from "react";
import { sentence } from "@/shared/api/client";
import { getClip } from "@/shared/api/endpoints/clip";
import { setProtection } from "@/shared/api/endpoints/protection";
import type { Stream } from "@/shared/api/types";
import { clockTime, nowUs } from "@/shared/time/format";
import { Button } from "@/shared/ui/Button";
import { ErrorNote } from "@/shared/ui/Notice";
import { clipAround, clipName, isKept, LENGTHS } from "./clip";
import type { Recordings } from "./useRecordings";

interface ClipBarProps {
  stream: Stream;
  recordings: Recordings;
  /** Wall time of the picture on screen (µs). */
  time: number;
  /** This browser can not play what the camera sends: clips are converted as well. */
  converted: boolean;
}

/** Under a recording: save the minute around this moment as a file, or keep it from being removed by age. */
export function ClipBar({ stream, recordings, time, converted }: ClipBarProps) {
  const [seconds, setSeconds] = useState<number>(60);
  const [busy, setBusy] = useState<"save" | "keep" | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const clip = clipAround(time, seconds, nowUs());
  const kept = isKept(clip, recordings.spans, recordings.kept);

  const work = (what: "save" | "keep", task: () => Promise<void>) => {
    setBusy(what);
    setProblem(null);
    task()
      .catch((error: unknown) => setProblem(sentence(error)))
      .finally(() => setBusy(null));
  };
  const save = () =>
    work("save", async () => {
      download(await getClip(stream.id, clip.start, clip.end, converted ? "h264" : undefined), clipName(stream.name, clip.start));
    });
  const keep = () =>
    work("keep", async () => {
      await setProtection(stream.id, clip.start, clip.end, !kept);
      recordings.refresh();
    });

  return (
    <section aria-label="Clip" className="space-y-2">
      <div className="flex flex-wrap items-center gap-2">
        <p className="tabular mr-auto text-sm text-muted">
          {clockTime(clip.start)} – {clockTime(clip.end)}
        </p>
        <label className="relative inline-flex">
          <span className="sr-only">Length of the clip</span>
          <select
            value={seconds}
            onChange={(event) => setSeconds(Number(event.target.value))}
            className="min-h-11 appearance-none rounded-xl bg-transparent px-3 text-sm text-soft hover:bg-raised"
          >
            {LENGTHS.map((one) => (
              <option key={one.seconds} value={one.seconds} className="bg-panel">
                {one.label}
              </option>
            ))}
          </select>
        </label>
        <Button icon="save" busy={busy === "save"} onClick={save}>
          {busy === "save" ? "Making the clip" : "Save this clip"}
        </Button>
        <Button icon="keep" busy={busy === "keep"} aria-pressed={kept} onClick={keep} title={kept ? "Let age remove it again" : "Never remove it by age"}>
          {kept ? "Kept" : "Keep this"}
        </Button>
      </div>
      {problem !== null && <ErrorNote>{problem}</ErrorNote>}
    </section>
  );
}

/** Hand a file to the browser, which asks the person where to put it. */
function download(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser reads it after the click has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

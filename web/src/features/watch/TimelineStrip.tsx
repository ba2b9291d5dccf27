import { type PointerEvent, useMemo, useRef, useState } from "react";
import { useActivity } from "@/shared/api/endpoints/activity";
import { gapWords } from "@/shared/streams/sentences";
import { clockMinutes, clockTime, dayName } from "@/shared/time/format";
import { PresenceLanes } from "./PresenceLanes";
import { HOUR_US, isIn, share, ticks, whatIsAt, windowOf } from "./strip";
import type { Recordings } from "./useRecordings";

interface TimelineStripProps {
  streamId: string;
  recordings: Recordings;
  /** Wall time of the picture on screen (µs), `null` before the first. */
  playhead: number | null;
  live: boolean;
  onSeek: (us: number) => void;
  onLive: () => void;
}

const LENGTHS = [
  { hours: 1, label: "1 h", words: "The last hour" },
  { hours: 6, label: "6 h", words: "The last 6 hours" },
  { hours: 24, label: "24 h", words: "The last 24 hours" },
] as const;

/** A tap this close to the end means live (µs). */
const LIVE_EDGE_US = 3e6;
const STEP_US = 10e6;

/** The last day: what was recorded, what was not and why, and who was there. Tap or drag to go to a moment. */
export function TimelineStrip({ streamId, recordings, playhead, live, onSeek, onLive }: TimelineStripProps) {
  const [hours, setHours] = useState<number>(1);
  const [hover, setHover] = useState<number | null>(null);
  const track = useRef<HTMLDivElement>(null);
  const { spans, gaps, now } = recordings;
  const view = windowOf(hours * HOUR_US, now, live ? null : playhead);
  const dayStart = useMemo(() => Math.floor((now - 24 * HOUR_US) / HOUR_US) * HOUR_US, [now]);
  const activity = useActivity(streamId, dayStart, dayStart + 26 * HOUR_US);

  const timeAt = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return view.start;
    const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return view.start + part * (view.end - view.start);
  };
  const go = (us: number) => {
    if (us >= now - LIVE_EDGE_US) onLive();
    else onSeek(us);
  };
  const shown = hover ?? playhead;
  const hovered = hover === null ? null : whatIsAt(hover, spans, gaps, now);

  return (
    <section aria-label="Timeline" className="select-none">
      <div className="mb-1.5 flex items-center justify-between gap-3">
        <p className="tabular min-w-0 truncate text-sm text-muted" aria-live="off">
          {hover === null
            ? recordings.loaded
              ? view.end >= now
                ? LENGTHS.find((one) => one.hours === hours)?.words
                : `${dayName(view.start)}, ${clockMinutes(view.start)} – ${clockMinutes(view.end)}`
              : (recordings.error ?? "Looking up what was recorded")
            : `${clockTime(hover)} · ${hovered === "recorded" ? (isIn(hover, recordings.kept) ? "recorded, kept" : "recorded") : hovered === null ? "nothing recorded" : gapWords(hovered.cause)}`}
        </p>
        <div role="group" aria-label="Length of the timeline" className="flex rounded-xl border border-line p-0.5">
          {LENGTHS.map((one) => (
            <button
              key={one.hours}
              type="button"
              aria-pressed={hours === one.hours}
              onClick={() => setHours(one.hours)}
              className={`min-h-9 rounded-[0.6rem] px-3 text-sm ${hours === one.hours ? "bg-raised text-ink" : "text-muted hover:text-ink"}`}
            >
              {one.label}
            </button>
          ))}
        </div>
      </div>
      <div
        ref={track}
        role="slider"
        tabIndex={0}
        aria-label="Moment"
        aria-valuemin={Math.round(view.start / 1e6)}
        aria-valuemax={Math.round(view.end / 1e6)}
        aria-valuenow={Math.round((playhead ?? view.end) / 1e6)}
        aria-valuetext={live ? "Live" : playhead === null ? "Unknown" : clockTime(playhead)}
        className="relative h-16 cursor-pointer touch-none overflow-hidden rounded-xl border border-line bg-[#0f0d0b]"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setHover(timeAt(event));
        }}
        onPointerMove={(event) => setHover(timeAt(event))}
        onPointerUp={(event) => {
          go(timeAt(event));
          if (event.pointerType !== "mouse") setHover(null);
        }}
        onPointerLeave={() => setHover(null)}
        onPointerCancel={() => setHover(null)}
        onKeyDown={(event) => {
          const step = event.key === "ArrowLeft" ? -STEP_US : event.key === "ArrowRight" ? STEP_US : 0;
          if (step === 0) return;
          event.preventDefault();
          event.stopPropagation();
          go((playhead ?? now) + step);
        }}
      >
        {spans.map((span) => {
          const place = share(span, view);
          return (
            place !== null && (
              <span
                key={span.start}
                data-testid="recorded"
                className="absolute top-1.5 h-5 min-w-px bg-hay/75"
                style={{ left: `${place.left * 100}%`, width: `${place.width * 100}%` }}
              />
            )
          );
        })}
        {recordings.kept.map((span) => {
          const place = share(span, view);
          return (
            place !== null && (
              <span
                key={span.start}
                data-testid="kept"
                title="Kept whatever its age"
                className="absolute top-1 h-1 min-w-1 rounded-full bg-moss"
                style={{ left: `${place.left * 100}%`, width: `${place.width * 100}%` }}
              />
            )
          );
        })}
        {gaps.map((gap) => {
          const place = share({ start: gap.start_us, end: gap.end_us ?? now }, view);
          return (
            place !== null && (
              <span
                key={gap.start_us}
                data-testid="gap"
                title={`${gapWords(gap.cause)}. ${gap.message}`}
                className="absolute top-1.5 h-5 min-w-0.5 bg-[repeating-linear-gradient(135deg,#ee8562_0_3px,#4a2a20_3px_7px)]"
                style={{ left: `${place.left * 100}%`, width: `${place.width * 100}%` }}
              />
            )
          );
        })}
        {activity.data !== undefined && <PresenceLanes activity={activity.data} view={view} />}
        {ticks(view, 7, new Date(now / 1000).getTimezoneOffset()).map((at) => (
          <span
            key={at}
            className="tabular pointer-events-none absolute bottom-0 -translate-x-1/2 pb-1 text-[0.6875rem] text-muted before:absolute before:bottom-[1.3rem] before:left-1/2 before:h-1 before:w-px before:bg-line"
            style={{ left: `${((at - view.start) / (view.end - view.start)) * 100}%` }}
          >
            {clockMinutes(at)}
          </span>
        ))}
        {shown !== null && shown >= view.start && (
          <span
            className={`pointer-events-none absolute inset-y-0 w-0.5 ${hover === null ? "bg-ink shadow-[0_0_0_1px_rgb(0_0_0/0.6)]" : "bg-ink/50"}`}
            style={{ left: `min(calc(100% - 2px), ${((shown - view.start) / (view.end - view.start)) * 100}%)` }}
          />
        )}
      </div>
    </section>
  );
}

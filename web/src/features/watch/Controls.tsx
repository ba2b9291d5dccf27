import { IconButton } from "@/shared/ui/Button";
import { Icon } from "@/shared/ui/Icon";
import { clockTime, dayName } from "@/shared/time/format";

export const SPEEDS = [0.5, 1, 2, 4, 8] as const;

interface ControlsProps {
  live: boolean;
  /** Whether the camera sends pictures now. */
  sending: boolean;
  paused: boolean;
  rate: number;
  /** Wall time of the picture on screen (µs). */
  time: number | null;
  onPause: () => void;
  onStep: (seconds: number) => void;
  onRate: (rate: number) => void;
  onLive: () => void;
  onShare: () => void;
  onFullScreen: () => void;
  shared: boolean;
}

/** Under the picture: one row, or on a phone two, the time and the way back to live above the rest. */
export function Controls(props: ControlsProps) {
  const { live, sending, paused, rate, time, shared } = props;
  return (
    <div className="flex flex-wrap items-center gap-1">
      <p className="tabular order-first basis-1/2 px-1 leading-tight sm:order-none sm:basis-auto sm:px-0" aria-label="Time of the picture">
        {time === null ? (
          <span className="text-sm text-muted">No picture yet</span>
        ) : (
          <>
            <span className="block text-[1.0625rem] font-semibold">{clockTime(time)}</span>
            <span className="block text-xs text-muted">{dayName(time)}</span>
          </>
        )}
      </p>
      <div className="flex items-center gap-1 sm:order-first sm:mr-2">
        <IconButton icon={paused ? "play" : "pause"} label={paused ? "Play" : "Pause"} onClick={props.onPause} />
        <IconButton icon="back10" label="Back 10 seconds" onClick={() => props.onStep(-10)} />
        <IconButton icon="ahead10" label="Ahead 10 seconds" onClick={() => props.onStep(10)} disabled={live} />
      </div>
      <span className="flex-1" />
      <label className={`relative inline-flex ${live ? "invisible" : ""}`}>
        <span className="sr-only">Speed</span>
        <select
          value={rate}
          disabled={live}
          onChange={(event) => props.onRate(Number(event.target.value))}
          className="min-h-11 appearance-none rounded-xl bg-transparent px-3 text-sm text-soft hover:bg-raised"
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed} className="bg-panel">
              {speed} ×
            </option>
          ))}
        </select>
      </label>
      <IconButton icon={shared ? "check" : "share"} label={shared ? "Link copied" : "Copy a link to this moment"} onClick={props.onShare} />
      <IconButton icon="expand" label="Full screen" onClick={props.onFullScreen} />
      <button
        type="button"
        onClick={props.onLive}
        aria-pressed={live}
        className={`order-first ml-auto inline-flex min-h-11 items-center gap-2 rounded-xl px-3.5 text-sm font-semibold transition-colors sm:order-none sm:ml-1 ${
          live ? (sending ? "bg-moss/15 text-moss" : "bg-raised text-muted") : "bg-hay text-[#22180a] hover:bg-[#f0c272]"
        }`}
      >
        <Icon name="live" size={18} />
        {live ? "Live" : "Go live"}
      </button>
    </div>
  );
}

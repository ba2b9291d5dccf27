import { useCallback, useRef, useState } from "react";
import { Link } from "react-router";
import type { Stream } from "@/shared/api/types";
import { useOverlaySettings } from "@/shared/overlay/layers";
import type { Horse } from "@/shared/overlay/observation";
import { ConvertedNote } from "@/shared/player/ConvertedNote";
import { type LiveFigures, Player } from "@/shared/player/Player";
import { describeState, RECORDED } from "@/shared/streams/sentences";
import { StatePill } from "@/shared/streams/StatePill";
import { nowUs } from "@/shared/time/format";
import { Icon } from "@/shared/ui/Icon";
import { ClipBar } from "./ClipBar";
import { Controls, SPEEDS } from "./Controls";
import { OverlayToggles } from "./OverlayToggles";
import { type RecordedHandle, RecordedPlayer } from "./RecordedPlayer";
import { useShortcuts } from "./shortcuts";
import { SidePanel } from "./SidePanel";
import { TimelineStrip } from "./TimelineStrip";
import { useRecordings } from "./useRecordings";

interface WatchViewProps {
  stream: Stream;
  /** Begin in the recordings at this moment (µs), or live. */
  startUs: number | null;
}

/** How often the clock and the playhead move (ms): each picture would redraw the page for nothing. */
const TELL_MS = 250;
const STAGE_HEIGHT = "calc(100dvh - 17.5rem)";

export function WatchView({ stream, startUs }: WatchViewProps) {
  /** Where playback was opened, `null` while live. */
  const [opened, setOpened] = useState(startUs);
  const [paused, setPaused] = useState(false);
  const [rate, setRate] = useState(1);
  const [time, setTime] = useState(startUs);
  const [figures, setFigures] = useState<LiveFigures | null>(null);
  const [horses, setHorses] = useState<Horse[] | null>(null);
  const [shared, setShared] = useState(false);
  /** What the camera sends, while it is shown converted. */
  const [converted, setConverted] = useState<string | null>(null);
  const recorded = useRef<RecordedHandle>(null);
  const stage = useRef<HTMLDivElement>(null);
  const exact = useRef(startUs);
  const told = useRef(0);
  const recordings = useRecordings(stream.id);
  const { setLayer, layers } = useOverlaySettings();
  const live = opened === null;
  const delay = stream.config.processing_delay;
  const words = describeState(stream, nowUs());
  // Before the recorder's first word nothing is known to be wrong.
  const unheard = stream.status !== "inactive" && (stream.state ?? null) === null;
  const trouble = words.tone === "live" || unheard ? null : words;

  const goLive = useCallback(() => {
    setOpened(null);
    setPaused(false);
    setRate(1);
  }, []);
  const seek = (us: number) => {
    exact.current = us;
    setTime(us);
    if (live) setOpened(us);
    else recorded.current?.seek(us);
  };
  const step = (seconds: number) => {
    const from = exact.current ?? nowUs();
    if (from + seconds * 1e6 >= nowUs() - 1e6) goLive();
    else seek(from + seconds * 1e6);
  };
  const pause = () => {
    if (live) seek(exact.current ?? nowUs());
    setPaused(!paused);
  };
  const faster = (by: 1 | -1) => {
    const next = SPEEDS[SPEEDS.findIndex((speed) => speed === rate) + by];
    if (!live && next !== undefined) setRate(next);
  };
  const share = () => {
    const link = new URL(location.href);
    link.search = exact.current === null ? "" : `?t=${(exact.current / 1e6).toFixed(2)}`;
    copy(link.href).then(
      () => {
        setShared(true);
        setTimeout(() => setShared(false), 2000);
      },
      () => window.prompt("Copy this link", link.href),
    );
  };
  const fullScreen = () => {
    if (document.fullscreenElement !== null) void document.exitFullscreen();
    else void stage.current?.requestFullscreen();
  };
  const tell = (us: number) => {
    exact.current = us;
    if (performance.now() - told.current < TELL_MS) return;
    told.current = performance.now();
    setTime(us);
  };

  useShortcuts({
    " ": pause,
    k: pause,
    ArrowLeft: () => step(-10),
    ArrowRight: () => step(10),
    l: goLive,
    ",": () => faster(-1),
    ".": () => faster(1),
    b: () => setLayer("box", !layers.box),
    n: () => setLayer("name", !layers.name),
    s: () => setLayer("skeleton", !layers.skeleton),
    t: () => setLayer("trail", !layers.trail),
    f: fullScreen,
  });

  return (
    <div className="grid flex-1 content-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem] lg:pt-2">
      <div className="min-w-0">
        <div className="flex items-center gap-2 px-2 pb-2 sm:px-0">
          <Link to="/" aria-label="All cameras" className="grid size-11 shrink-0 place-items-center rounded-xl text-soft hover:bg-raised hover:text-ink">
            <Icon name="back" size={22} />
          </Link>
          <h1 className="min-w-0 flex-1 truncate font-display text-2xl font-semibold tracking-tight">{stream.name}</h1>
          <StatePill words={live ? words : RECORDED} />
        </div>
        <div ref={stage} className="grid place-items-center overflow-hidden bg-black sm:rounded-2xl">
          {live ? (
            <Player
              streamId={stream.id}
              name={stream.name}
              processingDelay={typeof delay === "number" ? delay : 30}
              maxHeight={STAGE_HEIGHT}
              trouble={trouble}
              onConverted={setConverted}
              onFigures={(next) => {
                setFigures(next);
                tell(next.wallUs);
              }}
            />
          ) : (
            <RecordedPlayer
              ref={recorded}
              streamId={stream.id}
              name={stream.name}
              startUs={opened}
              rate={rate}
              paused={paused}
              showOverlays
              maxHeight={STAGE_HEIGHT}
              onTime={tell}
              onHorses={setHorses}
              onConverted={setConverted}
              onEnd={goLive}
            />
          )}
        </div>
        <div className="space-y-3 px-3 pt-3 sm:px-0">
          {converted !== null && <ConvertedNote mime={converted} />}
          <Controls
            live={live}
            sending={trouble === null}
            paused={paused}
            rate={rate}
            time={time}
            shared={shared}
            onPause={pause}
            onStep={step}
            onRate={setRate}
            onLive={goLive}
            onShare={share}
            onFullScreen={fullScreen}
          />
          <TimelineStrip streamId={stream.id} recordings={recordings} playhead={time} live={live} onSeek={seek} onLive={goLive} />
          {!live && time !== null && <ClipBar stream={stream} recordings={recordings} time={time} converted={converted !== null} />}
        </div>
      </div>
      <SidePanel stream={stream} live={live} figures={figures} horses={horses} onSaid={() => recorded.current?.refresh()}>
        <OverlayToggles live={live} />
      </SidePanel>
    </div>
  );
}

/** The clipboard is there on https and localhost only; elsewhere the caller shows the link. */
function copy(text: string): Promise<void> {
  return window.isSecureContext ? navigator.clipboard.writeText(text) : Promise.reject(new Error("no clipboard"));
}

import { type ReactNode, useState } from "react";
import type { Stream } from "@/shared/api/types";
import { cssColor } from "@/shared/overlay/draw";
import type { Horse } from "@/shared/overlay/observation";
import type { LiveFigures } from "@/shared/player/Player";
import { describeState } from "@/shared/streams/sentences";
import { useStreams } from "@/shared/streams/store";
import { type Present, presentOf, useWhoIsThere } from "@/shared/streams/useWhoIsThere";
import { agoWords, bytesWords, nowUs } from "@/shared/time/format";
import { IconButton } from "@/shared/ui/Button";
import { type Asked, WhoDialog } from "./WhoDialog";

interface SidePanelProps {
  stream: Stream;
  live: boolean;
  figures: LiveFigures | null;
  /** Who is in the recorded picture on screen. */
  horses: Horse[] | null;
  /** A person said who one of them is. */
  onSaid: () => void;
  children: ReactNode;
}

const CERTAINTY = { confirmed: "Recognised", probable: "Probably", unknown: "Not yet known" } as const;

/** Who is there, how the camera is, what is kept of it. */
export function SidePanel({ stream, live, figures, horses, onSaid, children }: SidePanelProps) {
  const now = useWhoIsThere(stream.id, stream.status === "active");
  const present = live ? now : (horses?.map(presentOf) ?? null);
  const words = describeState(stream, nowUs());
  const recording = stream.recording ?? null;
  const state = stream.state ?? null;
  const analysis = useStreams((store) => store.analysis[stream.id]);

  return (
    <aside className="space-y-4 px-3 pb-8 sm:px-0 lg:pb-0">
      {children}
      <section className="rounded-2xl border border-line bg-panel p-5">
        <h2 className="font-display text-lg font-semibold">{live ? "In sight now" : "In this picture"}</h2>
        <Horses
          streamId={stream.id}
          present={present}
          unknown={live ? whyUnknown(stream) : "Nothing is known of this picture."}
          onSaid={onSaid}
        />
      </section>
      <section className="rounded-2xl border border-line bg-panel p-5">
        <h2 className="font-display text-lg font-semibold">Camera</h2>
        <p className="mt-1.5 text-sm text-pretty text-soft">{words.sentence}</p>
        {state !== null && state.cause !== "none" && state.message !== "" && stream.source_type !== "file" && (
          <p className="mt-2 text-sm text-pretty break-words text-muted">{state.message}</p>
        )}
        {stream.status === "active" && analysis !== undefined && analysis.message !== "" && (
          <p className="mt-2 text-sm text-pretty break-words text-muted">{analysis.message}</p>
        )}
        <dl className="tabular mt-4 grid grid-cols-[auto_1fr] gap-x-4 gap-y-2 text-sm">
          {recording !== null && (
            <>
              <dt className="text-muted">Recorded</dt>
              <dd className="text-right">
                since {agoWords(recording.first_us, nowUs())}, {bytesWords(recording.bytes)}
              </dd>
            </>
          )}
          {live && stream.status === "active" && figures !== null && (
            <>
              <dt className="text-muted">Picture waits</dt>
              <dd className="text-right">{figures.delay.toFixed(1)} s for its analysis</dd>
            </>
          )}
          <dt className="text-muted">Address</dt>
          <dd className="truncate text-right" title={stream.source_url}>
            {stream.source_url}
          </dd>
        </dl>
      </section>
    </aside>
  );
}

function whyUnknown(stream: Stream): string {
  return stream.status === "active" ? "No picture was analysed in the last ten seconds." : "The camera is not running.";
}

interface HorsesProps {
  streamId: string;
  present: Present[] | null;
  unknown: string;
  onSaid: () => void;
}

function Horses({ streamId, present, unknown, onSaid }: HorsesProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  return (
    <>
      <Names present={present} unknown={unknown} onName={setAsked} />
      {asked !== null && (
        <WhoDialog
          streamId={streamId}
          asked={asked}
          onSaid={onSaid}
          onClose={() => {
            setAsked(null);
          }}
        />
      )}
    </>
  );
}

interface NamesProps {
  present: Present[] | null;
  unknown: string;
  onName: (asked: Asked) => void;
}

function Names({ present, unknown, onName }: NamesProps) {
  if (present === null) return <p className="mt-1.5 text-sm text-pretty text-muted">{unknown}</p>;
  if (present.length === 0) return <p className="mt-1.5 text-sm text-muted">No horse.</p>;
  return (
    <ul className="mt-3 space-y-3">
      {present.map(({ key, name, horse }) => (
        <li key={key} className="flex items-center gap-3" title={`A horse with ${Math.round(horse.bbox.confidence * 100)} % certainty`}>
          <span aria-hidden="true" className="size-9 shrink-0 rounded-full border-2 border-ground ring-2 ring-line" style={{ background: cssColor(horse.color) }} />
          <span className="min-w-0 flex-1">
            <span className="block truncate font-semibold">{name}</span>
            <span className="block text-sm text-muted">{CERTAINTY[horse.certainty]}</span>
          </span>
          <IconButton
            icon="edit"
            label={`Name ${name}`}
            onClick={onName.bind(null, { trackId: horse.track_id, horseId: horse.horse_id, name })}
          />
        </li>
      ))}
    </ul>
  );
}

import { type SubmitEvent, useState } from "react";
import { sentence } from "@/shared/api/client";
import { assignHorse, refuseHorse } from "@/shared/api/endpoints/corrections";
import { renameHorse } from "@/shared/api/endpoints/horses";
import type { Schemas } from "@/shared/api/types";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { Choice, Field } from "@/shared/ui/Field";
import { ErrorNote } from "@/shared/ui/Notice";
import { answer, type Draft, others, type Wrong } from "./correction";

interface CorrectHorseProps {
  streamId: string;
  /** The animal on screen. */
  trackId: number;
  /** What it is called on screen. */
  name: string;
  /** The horse it is taken for, `null` while it is none that is known. */
  horse: Schemas["Horse"] | null;
  horses: readonly Schemas["Horse"][];
  onDone: () => void;
  onClose: () => void;
}

/** A person says which horse an animal on screen is, that it is not the one it is called, or that this one is called otherwise. */
export function CorrectHorse({ streamId, trackId, name, horse, horses, onDone, onClose }: CorrectHorseProps) {
  const known = others(horses, horse);
  const [draft, setDraft] = useState<Draft>({ wrong: horse !== null && known.length === 0 ? "stranger" : "horse", horse: "", name });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const said = answer(draft, horse, known);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      if (draft.wrong === "horse" || horse === null) await assignHorse(streamId, trackId, draft.horse);
      else if (draft.wrong === "stranger") await refuseHorse(streamId, trackId, horse.id);
      else await renameHorse(horse.id, draft.name.trim());
      onDone();
    } catch (problem) {
      setError(sentence(problem));
      setBusy(false);
    }
  };
  const option = (wrong: Wrong, label: string) => (
    <label className="flex min-h-11 items-center gap-3 rounded-xl px-3 hover:bg-raised has-disabled:opacity-50">
      <input
        type="radio"
        name="wrong"
        className="size-4 shrink-0 accent-hay"
        checked={draft.wrong === wrong}
        disabled={wrong === "horse" && known.length === 0}
        onChange={() => {
          setDraft({ ...draft, wrong });
          setError(null);
        }}
      />
      {label}
    </label>
  );

  return (
    <Dialog title={horse === null ? `Who is ${name}?` : `Is this ${name}?`} onClose={onClose}>
      <form className="space-y-5" onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorNote>{error}</ErrorNote>}
        {horse !== null && (
          <fieldset className="-mx-3">
            <legend className="sr-only">What is wrong</legend>
            {option("horse", "No, it is another horse")}
            {option("stranger", "No, it is none that I know")}
            {option("name", "Yes, but the name is written wrongly")}
          </fieldset>
        )}
        {draft.wrong === "horse" && (
          <Choice
            label="It is"
            value={draft.horse}
            required
            hint={said.hint}
            onChange={(event) => {
              setDraft({ ...draft, horse: event.target.value });
            }}
          >
            <option value="" className="bg-panel">
              {known.length > 0 ? "Choose a horse" : "No horse has a name yet"}
            </option>
            {known.map((one) => (
              <option key={one.id} value={one.id} className="bg-panel">
                {one.name}
              </option>
            ))}
          </Choice>
        )}
        {draft.wrong === "stranger" && <p className="text-sm text-pretty text-muted">{said.hint}</p>}
        {draft.wrong === "name" && (
          <Field
            label="Name"
            value={draft.name}
            maxLength={120}
            required
            autoFocus
            autoComplete="off"
            hint={said.hint}
            error={said.problem}
            onChange={(event) => {
              setDraft({ ...draft, name: event.target.value });
            }}
          />
        )}
        <div className="flex justify-end gap-3 pt-1">
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" className="min-w-0" busy={busy} disabled={!said.ready}>
            <span className="truncate">{busy ? "Saving" : said.button}</span>
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

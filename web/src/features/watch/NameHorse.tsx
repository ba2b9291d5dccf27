import { type SubmitEvent, useId, useState } from "react";
import { sentence } from "@/shared/api/client";
import { mergeHorse, renameHorse } from "@/shared/api/endpoints/horses";
import type { Schemas } from "@/shared/api/types";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { Field } from "@/shared/ui/Field";
import { ErrorNote } from "@/shared/ui/Notice";
import { namesake } from "./namesake";

interface NameHorseProps {
  /** The horse as it is known now. */
  horseId: string;
  name: string;
  horses: readonly Schemas["Horse"][];
  onDone: () => void;
  onClose: () => void;
}

/** A person says who a stranger is: a new name, or a horse that has one already. */
export function NameHorse({ horseId, name, horses, onDone, onClose }: NameHorseProps) {
  const [given, setGiven] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);
  const list = useId();
  const known = horses.filter((horse) => !horse.stranger && horse.id !== horseId);
  const other = namesake(known, given);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      if (other === undefined) await renameHorse(horseId, given.trim());
      else await mergeHorse(horseId, other.id);
      onDone();
    } catch (problem) {
      setError(sentence(problem));
      setBusy(false);
    }
  };

  return (
    <Dialog title={`Who is ${name}?`} onClose={onClose}>
      <form className="space-y-5" onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorNote>{error}</ErrorNote>}
        <Field
          label="Name"
          name="name"
          value={given}
          onChange={(event) => {
            setGiven(event.target.value);
          }}
          list={list}
          maxLength={120}
          required
          autoFocus
          autoComplete="off"
          hint={
            other === undefined
              ? "What was recorded of it is found under this name from now on."
              : `Somebody is called ${other.name} already: the two become one horse. This cannot be undone.`
          }
        />
        <datalist id={list}>
          {known.map((horse) => (
            <option key={horse.id} value={horse.name} />
          ))}
        </datalist>
        <div className="flex justify-end gap-3 pt-1">
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" busy={busy} disabled={given.trim() === ""}>
            {busy ? "Saving" : other === undefined ? "Save" : `It is ${other.name}`}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

import { type SubmitEvent, useState } from "react";
import { ApiError, sentence } from "@/shared/api/client";
import { useStreams } from "@/shared/streams/store";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { Choice, Field } from "@/shared/ui/Field";
import { formText } from "@/shared/ui/formText";
import { ErrorNote } from "@/shared/ui/Notice";
import { guessSource, SOURCES, type SourceType } from "./sources";

const KINDS = Object.keys(SOURCES) as SourceType[];

/** A new camera: its name, where it is, and how it is opened. */
export function AddCamera({ onClose }: { onClose: () => void }) {
  const add = useStreams((store) => store.add);
  const [kind, setKind] = useState<SourceType>("rtsp");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<{ text: string; fields: Readonly<Record<string, string>> } | null>(null);
  const source = SOURCES[kind];
  const secret = kind === "rtsp" || kind === "hls" || kind === "rtmp";

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => formText(form, name).trim();
    setBusy(true);
    setError(null);
    try {
      await add({
        name: text("name"),
        source_type: kind,
        source_url: text("source_url"),
        start: true,
        ...(secret && text("username") !== "" && { username: text("username"), password: text("password") }),
      });
      onClose();
    } catch (problem) {
      setError({ text: sentence(problem), fields: problem instanceof ApiError ? problem.fields : {} });
      setBusy(false);
    }
  };

  return (
    <Dialog title="Add a camera" onClose={onClose}>
      <form className="space-y-5" onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorNote>{error.text}</ErrorNote>}
        <Field label="Name" name="name" placeholder="Foaling box 2" maxLength={120} required autoFocus error={error?.fields.name} />
        <Field
          label="Address"
          name="source_url"
          placeholder={source.placeholder}
          hint={source.hint}
          required
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          error={error?.fields.source_url}
          onChange={(event) => {
            const guess = guessSource(event.target.value);
            if (guess !== null) setKind(guess);
          }}
        />
        <Choice label="Kind" value={kind} onChange={(event) => setKind(event.target.value as SourceType)}>
          {KINDS.map((one) => (
            <option key={one} value={one}>
              {SOURCES[one].label}
            </option>
          ))}
        </Choice>
        {secret && (
          <div className="grid gap-5 sm:grid-cols-2 sm:gap-3">
            <Field label="User name" name="username" autoComplete="off" hint="If the camera asks for one." />
            <Field label="Password" name="password" type="password" autoComplete="off" hint="Kept encrypted." />
          </div>
        )}
        <div className="flex justify-end gap-3 pt-1">
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" busy={busy}>
            {busy ? "Adding" : "Add and start"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

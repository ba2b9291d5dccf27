import { type SubmitEvent, useState } from "react";
import { sentence } from "@/shared/api/client";
import type { Stream } from "@/shared/api/types";
import { useStreams } from "@/shared/streams/store";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { Field } from "@/shared/ui/Field";
import { ErrorNote } from "@/shared/ui/Notice";

/** Another name, address or password for a camera; what is left empty stays. */
export function EditCamera({ stream, onClose }: { stream: Stream; onClose: () => void }) {
  const change = useStreams((store) => store.change);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const given = [...form.entries()].flatMap(([key, value]) =>
      typeof value === "string" && value.trim() !== "" ? [[key, value.trim()] as const] : [],
    );
    const wanted = Object.fromEntries(given.filter(([key, value]) => !(key === "source_url" && value === stream.source_url)));
    setBusy(true);
    setError(null);
    try {
      await change(stream.id, wanted);
      onClose();
    } catch (problem) {
      setError(sentence(problem));
      setBusy(false);
    }
  };

  return (
    <Dialog title={`Change ${stream.name}`} onClose={onClose}>
      <form className="space-y-5" onSubmit={(event) => void submit(event)}>
        {error !== null && <ErrorNote>{error}</ErrorNote>}
        <Field label="Name" name="name" defaultValue={stream.name} maxLength={120} required />
        <Field label="Address" name="source_url" defaultValue={stream.source_url} required spellCheck={false} />
        <div className="grid gap-5 sm:grid-cols-2 sm:gap-3">
          <Field label="User name" name="username" autoComplete="off" hint={stream.has_credentials ? "One is kept." : "None is kept."} />
          <Field label="Password" name="password" type="password" autoComplete="new-password" hint="Leave empty to keep it." />
        </div>
        <div className="flex justify-end gap-3 pt-1">
          <Button look="ghost" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" look="primary" busy={busy}>
            {busy ? "Saving" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

import { useState } from "react";
import { sentence } from "@/shared/api/client";
import type { Stream } from "@/shared/api/types";
import { useStreams } from "@/shared/streams/store";
import { Button } from "@/shared/ui/Button";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote } from "@/shared/ui/Notice";

export function RemoveCamera({ stream, onClose }: { stream: Stream; onClose: () => void }) {
  const remove = useStreams((store) => store.remove);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  const go = () => {
    setBusy(true);
    setError(null);
    remove(stream.id).then(onClose, (problem: unknown) => {
      setError(sentence(problem));
      setBusy(false);
    });
  };

  return (
    <Dialog title={`Remove ${stream.name}?`} onClose={onClose}>
      <div className="space-y-5">
        {error !== null && <ErrorNote>{error}</ErrorNote>}
        <p className="text-pretty text-soft">
          BarnHand stops recording this camera and forgets its address and password. What it has recorded stays until it is
          old enough to go.
        </p>
        <div className="flex justify-end gap-3">
          <Button look="ghost" onClick={onClose}>
            Keep it
          </Button>
          <Button look="danger" busy={busy} onClick={go}>
            Remove
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

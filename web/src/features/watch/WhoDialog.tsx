import { useHorses } from "@/shared/api/endpoints/horses";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote, Loading } from "@/shared/ui/Notice";
import { CorrectHorse } from "./CorrectHorse";
import { NameHorse } from "./NameHorse";

/** An animal on screen and the horse it is called, if any. */
export interface Asked {
  trackId: number;
  horseId: string | null;
  name: string;
}

interface WhoDialogProps {
  streamId: string;
  asked: Asked;
  /** Something was said: what is known of the pictures on screen is out of date. */
  onSaid: () => void;
  onClose: () => void;
}

/** A stranger is given a name; of any other animal a person may say which horse it is, or that it is not. */
export function WhoDialog({ streamId, asked, onSaid, onClose }: WhoDialogProps) {
  const { data: horses, error } = useHorses();
  const done = () => {
    onSaid();
    onClose();
  };
  if (horses === undefined) {
    return (
      <Dialog title={`Who is ${asked.name}?`} onClose={onClose}>
        {error === null ? <Loading label="Looking up the horses" /> : <ErrorNote>{error}</ErrorNote>}
      </Dialog>
    );
  }
  const { trackId, horseId, name } = asked;
  const horse = horses.find((one) => one.id === horseId) ?? null;
  if (horseId !== null && (horse === null || horse.stranger)) {
    return <NameHorse horseId={horseId} name={name} horses={horses} onDone={done} onClose={onClose} />;
  }
  return (
    <CorrectHorse streamId={streamId} trackId={trackId} name={name} horse={horse} horses={horses} onDone={done} onClose={onClose} />
  );
}

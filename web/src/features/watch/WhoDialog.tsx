import { useHorses } from "@/shared/api/endpoints/horses";
import { Dialog } from "@/shared/ui/Dialog";
import { ErrorNote, Loading } from "@/shared/ui/Notice";
import { CorrectHorse } from "./CorrectHorse";
import { NameHorse } from "./NameHorse";

/** An animal on screen and the horse it is called. */
export interface Asked {
  trackId: number;
  horseId: string;
  name: string;
}

interface WhoDialogProps {
  streamId: string;
  asked: Asked;
  /** Something was said: what is known of the pictures on screen is out of date. */
  onSaid: () => void;
  onClose: () => void;
}

/** A stranger is given a name; of an animal that is called a horse with one, a person may say that it is not. */
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
  const horse = horses.find((one) => one.id === asked.horseId);
  if (horse === undefined || horse.stranger) {
    return <NameHorse horseId={asked.horseId} name={asked.name} horses={horses} onDone={done} onClose={onClose} />;
  }
  return <CorrectHorse streamId={streamId} trackId={asked.trackId} horse={horse} horses={horses} onDone={done} onClose={onClose} />;
}

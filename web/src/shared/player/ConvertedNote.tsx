import { convertedWords } from "@/shared/media/codec";
import { Icon } from "@/shared/ui/Icon";

/** Under a picture that is not what the camera sent: why it looks softer than it could. */
export function ConvertedNote({ mime }: { mime: string }) {
  return (
    <p role="status" className="flex gap-2 text-sm text-pretty text-muted">
      <Icon name="convert" size={18} className="mt-0.5 shrink-0" />
      <span>{convertedWords(mime)} Safari plays it as it is.</span>
    </p>
  );
}

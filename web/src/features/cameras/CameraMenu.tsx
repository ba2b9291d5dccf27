import { useEffect, useRef, useState } from "react";
import { sentence } from "@/shared/api/client";
import type { Stream } from "@/shared/api/types";
import { useStreams } from "@/shared/streams/store";
import { IconButton } from "@/shared/ui/Button";
import { Icon, type IconName } from "@/shared/ui/Icon";
import { EditCamera } from "./EditCamera";
import { RemoveCamera } from "./RemoveCamera";

/** Start, stop, change, remove. */
export function CameraMenu({ stream }: { stream: Stream }) {
  const { toggle, busy } = useStreams();
  const [open, setOpen] = useState(false);
  const [dialog, setDialog] = useState<"edit" | "remove" | null>(null);
  const [error, setError] = useState<string | null>(null);
  const root = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && root.current?.contains(event.target) !== true) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);

  const choose = (wanted: "edit" | "remove") => {
    setOpen(false);
    setDialog(wanted);
  };
  const change = () => {
    setError(null);
    toggle(stream.id).then(
      () => setOpen(false),
      (problem: unknown) => setError(sentence(problem)),
    );
  };

  return (
    <div ref={root} className="relative">
      <IconButton
        icon="more"
        label={`${stream.name}: more`}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => {
          setError(null);
          setOpen(!open);
        }}
      />
      {open && (
        <div
          role="menu"
          className="absolute right-0 bottom-full z-20 mb-1 w-52 rounded-xl border border-line bg-raised p-1.5 shadow-xl shadow-black/50"
        >
          {error !== null && (
            <p role="alert" className="px-3 py-2 text-sm text-rust">
              {error}
            </p>
          )}
          <Item
            icon={stream.status === "inactive" ? "play" : "stop"}
            label={stream.status === "inactive" ? "Start" : "Stop"}
            disabled={busy.has(stream.id)}
            onClick={change}
          />
          <Item icon="edit" label="Change" onClick={() => choose("edit")} />
          <Item icon="trash" label="Remove" onClick={() => choose("remove")} />
        </div>
      )}
      {dialog === "edit" && <EditCamera stream={stream} onClose={() => setDialog(null)} />}
      {dialog === "remove" && <RemoveCamera stream={stream} onClose={() => setDialog(null)} />}
    </div>
  );
}

interface ItemProps {
  icon: IconName;
  label: string;
  disabled?: boolean;
  onClick: () => void;
}

function Item({ icon, label, disabled = false, onClick }: ItemProps) {
  return (
    <button
      type="button"
      role="menuitem"
      disabled={disabled}
      onClick={onClick}
      className="flex min-h-11 w-full items-center gap-3 rounded-lg px-3 text-left text-[0.9375rem] hover:bg-hover disabled:opacity-50"
    >
      <Icon name={icon} size={18} className="text-muted" />
      {label}
    </button>
  );
}

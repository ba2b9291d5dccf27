import { type ReactNode, useEffect, useId, useRef } from "react";
import { IconButton } from "./Button";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A modal dialog on the browser's own element: focus stays inside, Escape closes. Mount it to open it. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    ref.current?.showModal();
  }, []);

  return (
    <dialog
      ref={ref}
      aria-labelledby={id}
      onClose={onClose}
      onMouseDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className="m-auto w-[min(30rem,calc(100vw-1.5rem))] rounded-2xl border border-line bg-panel p-0 text-ink shadow-2xl shadow-black/60 max-sm:mb-3"
    >
      <div className="p-5 sm:p-6">
        <header className="mb-5 flex items-center justify-between gap-4">
          <h2 id={id} className="font-display text-xl font-semibold">
            {title}
          </h2>
          <IconButton icon="close" label="Close" onClick={onClose} className="-mr-2" />
        </header>
        {children}
      </div>
    </dialog>
  );
}

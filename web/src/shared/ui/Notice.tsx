import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

/** A sentence about something that went wrong, read out at once. */
export function ErrorNote({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="flex gap-2.5 rounded-xl border border-rust/30 bg-rust/10 px-3.5 py-3 text-sm text-[#ffc4b0]">
      <Icon name="bad" size={18} className="mt-0.5 shrink-0 text-rust" />
      <span>{children}</span>
    </p>
  );
}

interface EmptyProps {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

/** What stands where there is nothing yet. */
export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center px-4 py-16 text-center">
      <span className="mb-5 grid size-16 place-items-center rounded-2xl border border-line bg-panel text-hay">
        <Icon name={icon} size={30} />
      </span>
      <h2 className="font-display text-xl font-semibold text-balance">{title}</h2>
      <p className="mt-2 text-pretty text-muted">{children}</p>
      {action !== undefined && <div className="mt-6">{action}</div>}
    </div>
  );
}

/** For the short while before anything is known. */
export function Loading({ label }: { label: string }) {
  return (
    <div role="status" className="grid min-h-60 place-items-center text-muted">
      <span className="flex items-center gap-3">
        <Icon name="horseshoe" size={26} className="breathe text-hay" />
        {label}
      </span>
    </div>
  );
}

import { type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes, useId } from "react";
import { Icon } from "./Icon";

const BOX =
  "w-full min-h-12 rounded-xl border bg-ground/60 px-3.5 text-ink placeholder:text-muted/70 transition-colors focus:border-hay focus:outline-none";

interface Common {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
}

function Frame({ id, label, hint, error, children }: Common & { id: string; children: ReactNode }) {
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="block text-sm font-medium text-soft">
        {label}
      </label>
      {children}
      {error !== undefined ? (
        <p id={`${id}-note`} className="text-sm text-rust">
          {error}
        </p>
      ) : (
        hint !== undefined && (
          <p id={`${id}-note`} className="text-sm text-muted">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

export function Field({ label, hint, error, className = "", ...rest }: Common & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input
        id={id}
        aria-invalid={error !== undefined}
        aria-describedby={`${id}-note`}
        className={`${BOX} ${error === undefined ? "border-line" : "border-rust"} ${className}`}
        {...rest}
      />
    </Frame>
  );
}

export function Choice({ label, hint, error, children, ...rest }: Common & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <div className="relative">
        <select id={id} aria-describedby={`${id}-note`} className={`${BOX} appearance-none border-line pr-11`} {...rest}>
          {children}
        </select>
        <Icon name="down" size={18} className="pointer-events-none absolute top-1/2 right-3.5 -translate-y-1/2 text-muted" />
      </div>
    </Frame>
  );
}

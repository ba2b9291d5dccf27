import type { ButtonHTMLAttributes } from "react";
import { Icon, type IconName } from "./Icon";

type Look = "primary" | "quiet" | "danger" | "ghost";

const LOOKS: Readonly<Record<Look, string>> = {
  primary: "bg-hay text-[#22180a] hover:bg-[#f0c272] active:bg-hay-deep font-semibold",
  quiet: "bg-raised text-ink hover:bg-hover border border-line",
  danger: "bg-rust text-[#26100a] hover:bg-[#f79a7a] font-semibold",
  ghost: "text-soft hover:text-ink hover:bg-raised",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: IconName;
  busy?: boolean;
}

export function Button({ look = "quiet", icon, busy = false, className = "", children, disabled, type, ...rest }: ButtonProps) {
  return (
    <button
      type={type ?? "button"}
      disabled={busy || disabled}
      aria-busy={busy}
      className={`inline-flex min-h-11 items-center justify-center gap-2 rounded-xl px-4 text-[0.9375rem] whitespace-nowrap transition-colors disabled:opacity-50 ${LOOKS[look]} ${className}`}
      {...rest}
    >
      {icon !== undefined && <Icon name={icon} size={19} />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  /** Says what it does: there is no text. */
  label: string;
}

export function IconButton({ icon, label, className = "", ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-11 shrink-0 items-center justify-center rounded-xl text-soft transition-colors hover:bg-raised hover:text-ink disabled:opacity-40 ${className}`}
      {...rest}
    >
      <Icon name={icon} size={21} />
    </button>
  );
}

interface ToggleProps {
  icon: IconName;
  label: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

/** A switch that stays pressed. */
export function Toggle({ icon, label, on, onChange }: ToggleProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={() => onChange(!on)}
      className={`inline-flex min-h-11 items-center gap-2 rounded-xl border px-3 text-sm transition-colors ${
        on ? "border-hay/40 bg-hay/12 text-hay" : "border-line text-muted hover:bg-raised hover:text-ink"
      }`}
    >
      <Icon name={icon} size={18} />
      {label}
    </button>
  );
}

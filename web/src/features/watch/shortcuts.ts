import { useEffect, useRef } from "react";

export type ShortcutMap = Readonly<Record<string, () => void>>;

/** Keys of the page by `KeyboardEvent.key`; typing in a field and combinations with Ctrl, Alt or Meta are left alone. */
export function useShortcuts(map: ShortcutMap): void {
  const latest = useRef(map);

  useEffect(() => {
    latest.current = map;
  });

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const { target } = event;
      if (target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      if (event.key === " " && target instanceof HTMLButtonElement) return;
      const action = latest.current[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

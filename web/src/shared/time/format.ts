const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const clockShort = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });

/** Microseconds since the epoch, now. The page's clock is only for words and for asking; pictures carry their own time. */
export function nowUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000);
}

/** 21:04:09 in the reader's time zone. */
export function clockTime(us: number): string {
  return clock.format(us / 1000);
}

/** 21:04 */
export function clockMinutes(us: number): string {
  return clockShort.format(us / 1000);
}

/** Sun, 22 Nov */
export function dayName(us: number): string {
  return day.format(us / 1000);
}

/** "45 s", "12 min", "3 h 20 min", "2 days". */
export function durationWords(us: number): string {
  const seconds = Math.max(0, Math.round(us / 1e6));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** "a moment ago", "3 min ago". */
export function agoWords(us: number, now: number): string {
  return now - us < 10e6 ? "a moment ago" : `${durationWords(now - us)} ago`;
}

/** "412 MB" */
export function bytesWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? "B"}`;
}

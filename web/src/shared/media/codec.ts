import { mediaSourceClass } from "./sink";

/** What every browser plays, and what the API converts to. */
export const PLAYABLE = "h264";

/** Whether this browser's media source plays a type such as `video/mp4; codecs="hvc1.1.6.L93.90"`. */
export function plays(mime: string): boolean {
  return mediaSourceClass()?.isTypeSupported(mime) === true;
}

/** The codec of a type as people call it. */
export function codecName(mime: string): string {
  if (/hvc1|hev1/.test(mime)) return "H.265 (HEVC)";
  if (/avc1|avc3/.test(mime)) return "H.264";
  return /codecs="([^",]+)/.exec(mime)?.[1] ?? "an unknown format";
}

/** Why a camera is shown converted. */
export function convertedWords(mime: string): string {
  return `This camera sends ${codecName(mime)}, which this browser can not play. It is recorded as it comes and shown here converted to H.264.`;
}

import type { Stream } from "@/shared/api/types";

export type SourceType = Stream["source_type"];

interface SourceWords {
  label: string;
  placeholder: string;
  hint: string;
}

/** What each kind of source is called and how its address looks. */
export const SOURCES: Readonly<Record<SourceType, SourceWords>> = {
  rtsp: {
    label: "Network camera (RTSP)",
    placeholder: "rtsp://192.168.1.40/stream1",
    hint: "In the camera's manual, often under “RTSP” or “ONVIF”.",
  },
  hls: { label: "HLS or other web video", placeholder: "https://…/live.m3u8", hint: "Begins with http:// or https://." },
  rtmp: { label: "RTMP", placeholder: "rtmp://192.168.1.5/live/paddock", hint: "Begins with rtmp://." },
  youtube: { label: "YouTube", placeholder: "https://www.youtube.com/watch?v=…", hint: "The page of the video or the live stream." },
  file: { label: "Video file", placeholder: "/videos/paddock.mp4", hint: "A path on the machine that runs BarnHand. It is played in a loop." },
};

/** The kind of an address that a person pasted, or `null` when it can not be told. */
export function guessSource(address: string): SourceType | null {
  const text = address.trim().toLowerCase();
  if (/^rtsps?:\/\//.test(text)) return "rtsp";
  if (/^rtmps?:\/\//.test(text)) return "rtmp";
  if (/^https?:\/\/([\w-]+\.)*(youtube\.com|youtu\.be)(\/|$)/.test(text)) return "youtube";
  if (/^https?:\/\//.test(text)) return "hls";
  if (/^(\/|~\/|\.\.?\/|[a-z]:\\|file:)/.test(text)) return "file";
  return null;
}

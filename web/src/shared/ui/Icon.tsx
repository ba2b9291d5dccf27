import type { SVGProps } from "react";

/** 24 × 24, stroked in the colour of the text. */
const PATHS = {
  horseshoe: "M6 20V11a6 6 0 0 1 12 0v9M6 20h2.5M15.5 20H18",
  camera: "M3 7.5A1.5 1.5 0 0 1 4.5 6h10A1.5 1.5 0 0 1 16 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 3 16.5zM16 10.5l5-3v9l-5-3",
  cameraOff: "M3 3l18 18M8 6h6.5A1.5 1.5 0 0 1 16 7.5V10l5-2.5v9M16 16.5a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 3 16.5v-9A1.5 1.5 0 0 1 4.5 6H5",
  plus: "M12 5v14M5 12h14",
  play: "M8 5.5v13l11-6.5z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  stop: "M7 7h10v10H7z",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12M10.5 10.5v5M13.5 10.5v5",
  more: "M12 6h.01M12 12h.01M12 18h.01",
  back: "M15 5l-7 7 7 7",
  down: "M6 9.5l6 6 6-6",
  back10: "M4 5v5h5M4.6 10A8 8 0 1 1 4 13.5M9.5 11v5.5M13 12.5a1.3 1.3 0 0 1 2.6 0v2.4a1.3 1.3 0 0 1-2.6 0z",
  ahead10: "M20 5v5h-5M19.4 10A8 8 0 1 0 20 13.5M8.5 11v5.5M12 12.5a1.3 1.3 0 0 1 2.6 0v2.4a1.3 1.3 0 0 1-2.6 0z",
  live: "M12 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM8 16a5.7 5.7 0 0 1 0-8M16 8a5.7 5.7 0 0 1 0 8M5.2 18.8a9.6 9.6 0 0 1 0-13.6M18.8 5.2a9.6 9.6 0 0 1 0 13.6",
  wait: "M12 7.5V12l3 2M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  bad: "M12 8.5v4.5M12 16.2h.01M10.4 4.6L3 17.5A1.8 1.8 0 0 0 4.6 20.2h14.8a1.8 1.8 0 0 0 1.6-2.7L13.6 4.6a1.85 1.85 0 0 0-3.2 0z",
  off: "M12 4v7M7.3 7.2a7 7 0 1 0 9.4 0",
  box: "M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16",
  name: "M4 12.5V5.5A1.5 1.5 0 0 1 5.5 4h7L20 11.5a1.5 1.5 0 0 1 0 2.1L13.6 20a1.5 1.5 0 0 1-2.1 0zM8 8h.01",
  skeleton: "M6 6l6 5 6-5M12 11v4l-4 5M12 15l4 5",
  trail: "M4 18c4 0 3-5 6-6s3 2 5 0 1-6 5-6",
  share: "M12 15V4M8 7.5L12 4l4 3.5M5 12v6.5A1.5 1.5 0 0 0 6.5 20h11a1.5 1.5 0 0 0 1.5-1.5V12",
  expand: "M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20a7.5 7.5 0 0 1 15 0",
  out: "M14 7V5.5A1.5 1.5 0 0 0 12.5 4h-6A1.5 1.5 0 0 0 5 5.500v13A1.5 1.5 0 0 0 6.5 20h6a1.5 1.5 0 0 0 1.5-1.500V17M10 12h10M17 9l3 3-3 3",
  save: "M12 4v11M8 11.500l4 4 4-4M5 19.500h14",
  keep: "M7 4.500h10a1 1 0 0 1 1 1V20l-6-4-6 4V5.500a1 1 0 0 1 1-1z",
  convert: "M5 9h12l-3-3M19 15H7l3 3",
  edit: "M4 20l.8-3.8L15.5 5.500a1.8 1.8 0 0 1 2.6 0l.4.4a1.8 1.8 0 0 1 0 2.600L7.8 19.200z",
} as const;

export type IconName = keyof typeof PATHS;

interface IconProps extends SVGProps<SVGSVGElement> {
  name: IconName;
  size?: number;
}

/** Decoration: what it means is always said in words beside it or in the label of its button. */
export function Icon({ name, size = 20, ...rest }: IconProps) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      {...rest}
    >
      <path d={PATHS[name]} strokeWidth={name === "more" ? 2.8 : undefined} />
    </svg>
  );
}

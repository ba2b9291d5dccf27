import type { ReactNode, Ref } from "react";

interface StageProps {
  videoRef: Ref<HTMLVideoElement>;
  canvasRef: Ref<HTMLCanvasElement>;
  /** Proportions of the picture, 16/9 until it is known. */
  aspect: number;
  label: string;
  /** Whether picture and overlay are painted on the canvas; else the bare video shows. */
  painted: boolean;
  /** Greatest height, a CSS length. */
  maxHeight?: string;
  children?: ReactNode;
}

/** A video and, exactly over it, the canvas on which the picture is painted together with its overlay. */
export function Stage({ videoRef, canvasRef, aspect, label, painted, maxHeight = "100%", children }: StageProps) {
  return (
    <div
      className="relative mx-auto overflow-hidden bg-black"
      style={{ aspectRatio: aspect, width: `min(100%, calc(${maxHeight} * ${aspect}))` }}
    >
      <video ref={videoRef} muted autoPlay playsInline aria-label={label} className="absolute inset-0 size-full" />
      <canvas
        ref={canvasRef}
        data-testid="overlay"
        aria-hidden="true"
        className={`pointer-events-none absolute inset-0 size-full ${painted ? "" : "invisible"}`}
      />
      {children}
    </div>
  );
}

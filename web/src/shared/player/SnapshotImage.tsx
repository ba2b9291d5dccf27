import { useEffect, useRef, useState } from "react";
import { snapshotUrl } from "@/shared/api/endpoints/snapshot";

interface SnapshotImageProps {
  streamId: string;
  alt: string;
  everyMs: number;
  className?: string;
  /** `true` with every new picture, `false` when none could be had. */
  onPicture?: (ok: boolean) => void;
}

/**
 * The newest picture of a camera, replaced without a flicker every `everyMs` while it is on screen. A page can not decode
 * many full streams at once, so the wall of cameras shows these.
 */
export function SnapshotImage({ streamId, alt, everyMs, className = "", onPicture }: SnapshotImageProps) {
  const frame = useRef<HTMLDivElement>(null);
  const told = useRef(onPicture);
  const [source, setSource] = useState<string | null>(null);

  useEffect(() => {
    told.current = onPicture;
  }, [onPicture]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let inSight = true;
    let over = false;
    const again = (ms: number) => {
      if (!over) timer = setTimeout(load, ms);
    };
    const load = () => {
      if (!inSight || document.visibilityState !== "visible") {
        again(500);
        return;
      }
      const next = new Image();
      next.onload = () => {
        if (over) return;
        setSource(next.src);
        told.current?.(true);
        again(everyMs);
      };
      next.onerror = () => {
        if (over) return;
        told.current?.(false);
        again(Math.max(everyMs, 4000));
      };
      next.src = snapshotUrl(streamId, Date.now());
    };
    const watcher = new IntersectionObserver((entries) => {
      inSight = entries.some((entry) => entry.isIntersecting);
    });
    if (frame.current !== null) watcher.observe(frame.current);
    load();
    return () => {
      over = true;
      watcher.disconnect();
      if (timer !== null) clearTimeout(timer);
    };
  }, [streamId, everyMs]);

  return (
    <div ref={frame} className="absolute inset-0">
      {source !== null && <img src={source} alt={alt} className={`size-full ${className}`} />}
    </div>
  );
}

import { useOverlaySettings } from "@/shared/overlay/layers";
import { Toggle } from "@/shared/ui/Button";

/** What is drawn on the picture; in live view also whether the picture waits for it. */
export function OverlayToggles({ live }: { live: boolean }) {
  const { layers, setLayer, pace, setPace } = useOverlaySettings();
  return (
    <div role="group" aria-label="On the picture" className="flex flex-wrap gap-2">
      <Toggle icon="box" label="Box" on={layers.box} onChange={(on) => setLayer("box", on)} />
      <Toggle icon="name" label="Name" on={layers.name} onChange={(on) => setLayer("name", on)} />
      <Toggle icon="skeleton" label="Skeleton" on={layers.skeleton} onChange={(on) => setLayer("skeleton", on)} />
      <Toggle icon="trail" label="Trail" on={layers.trail} onChange={(on) => setLayer("trail", on)} />
      {live && (
        <Toggle
          icon="live"
          label="As live as possible"
          on={pace === "live"}
          onChange={(on) => setPace(on ? "live" : "locked")}
        />
      )}
    </div>
  );
}

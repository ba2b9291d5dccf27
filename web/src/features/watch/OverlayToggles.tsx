import { useOverlaySettings } from "@/shared/overlay/layers";
import { Toggle } from "@/shared/ui/Button";

/** What is drawn on the picture; in live view also whether the picture waits for it. */
export function OverlayToggles({ live }: { live: boolean }) {
  const { layers, setLayer, pace, setPace } = useOverlaySettings();
  return (
    <section aria-label="On the picture" className="rounded-2xl border border-line bg-panel p-5">
      <h2 className="font-display text-lg font-semibold">On the picture</h2>
      <div className="mt-3 flex flex-wrap gap-2">
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
      {live && (
        <p className="mt-3 text-sm text-pretty text-muted">
          {pace === "live"
            ? "The picture is shown at once. A dashed box is where the horse is expected, not where it was seen."
            : "The picture waits until it is analysed, so that every box is where the horse is."}
        </p>
      )}
    </section>
  );
}

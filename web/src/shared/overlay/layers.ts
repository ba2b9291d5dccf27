import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Layers } from "./draw";

export type Pace = "locked" | "live";

interface OverlaySettings {
  layers: Layers;
  /** `locked`: the picture waits for its analysis. `live`: at once, with the overlay moved on and marked as predicted. */
  pace: Pace;
  setLayer: (layer: keyof Layers, on: boolean) => void;
  setPace: (pace: Pace) => void;
}

/** What is drawn, kept in this browser. */
export const useOverlaySettings = create<OverlaySettings>()(
  persist(
    (set) => ({
      layers: { box: true, name: true, skeleton: true, trail: false },
      pace: "locked",
      setLayer: (layer, on) => set((old) => ({ layers: { ...old.layers, [layer]: on } })),
      setPace: (pace) => set({ pace }),
    }),
    { name: "barnhand.overlay" },
  ),
);

import { useHorses } from "@/shared/api/endpoints/horses";
import type { Schemas } from "@/shared/api/types";
import { HOUR_US, share, type Stretch } from "./strip";

/** As many horses as fit below the recordings. */
const LANES = 3;
const COLORS = ["#87ceeb", "#9cc26d", "#d7a2e0"];

interface PresenceLanesProps {
  activity: Schemas["Activity"];
  view: Stretch;
}

/** The hours in which a horse was before the camera, a lane each for those seen most; darker when it was there for less of it. */
export function PresenceLanes({ activity, view }: PresenceLanesProps) {
  const horses = useHorses();
  const seen = new Map<string, number>();
  for (const hour of activity.hours) seen.set(hour.horse_id, (seen.get(hour.horse_id) ?? 0) + hour.detection_count);
  const most = [...seen.entries()].sort((a, b) => b[1] - a[1]).slice(0, LANES);
  const names = new Map((horses.data ?? []).map((horse) => [horse.id, horse.name]));

  return most.map(([id], lane) =>
    activity.hours
      .filter((hour) => hour.horse_id === id)
      .map((hour) => {
        const start = Date.parse(hour.hour) * 1000;
        const place = share({ start, end: start + HOUR_US }, view);
        if (place === null) return null;
        const watched = Math.min(1, hour.observed_seconds / 3600);
        return (
          <span
            key={`${id}${hour.hour}`}
            title={`${names.get(id) ?? "A horse"} was here`}
            className="absolute h-1 rounded-full"
            style={{
              top: `${1.85 + lane * 0.32}rem`,
              left: `${place.left * 100}%`,
              width: `${place.width * 100}%`,
              background: COLORS[lane],
              opacity: 0.35 + 0.65 * watched,
            }}
          />
        );
      }),
  );
}

"""Rows of detections back to the observations they came from."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from barnhand.core.skeleton import load_skeleton
from barnhand.store.records import DetectionRecord


def pose_of(record: DetectionRecord) -> dict[str, Any] | None:
    """The contract's pose of a detection, or ``None``."""
    if record.skeleton is None or record.keypoints is None:
        return None
    flat = record.keypoints
    return {
        "skeleton": record.skeleton,
        "keypoints": [
            {"x": flat[3 * i], "y": flat[3 * i + 1], "confidence": flat[3 * i + 2], "name": name}
            for i, name in enumerate(load_skeleton(record.skeleton).points)
        ],
    }


def observations(records: Iterable[DetectionRecord]) -> list[dict[str, Any]]:
    """``core.observation.Observation.to_dict`` of every picture, from one stream's rows in order of time."""
    found = []
    for wall_us, group in groupby(records, key=lambda record: record.time_us):
        rows = list(group)
        first = rows[0]
        found.append(
            {
                "stream_id": first.stream_id,
                "wall_us": wall_us,
                "pts": first.pts,
                "width": first.width,
                "height": first.height,
                "horses": [_horse(row) for row in rows],
            }
        )
    return found


def _horse(row: DetectionRecord) -> dict[str, Any]:
    return {
        "track_id": row.track_id,
        "tracking_id": f"horse_{row.track_id}",
        "horse_id": row.horse_id,
        "name": row.horse_name,
        "certainty": row.certainty,
        "similarity": row.similarity,
        "color": row.color,
        "bbox": {**row.bbox, "confidence": row.confidence},
        "pose": pose_of(row),
        "metrics": dict(row.metrics),
        "interpolated": row.interpolated,
    }

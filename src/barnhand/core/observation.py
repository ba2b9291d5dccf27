"""What was seen in one picture: the currency from the analyst to the store, the hub and the page.

``to_dict`` is the wire form: the contract's ``bbox {x, y, width, height, confidence}`` and
``pose {keypoints: [{x, y, confidence, name}]}``, pixels of the full picture, whose size goes with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from barnhand.core.geometry import Floats
from barnhand.core.identity import Certainty, Identity
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton


@dataclass(frozen=True, eq=False)
class HorseObservation:
    """One horse in one picture.

    ``box`` is ``(4,)`` corner px; ``metrics`` are named figures, ``None`` where not measurable ("not seen" is never 0).
    ``interpolated`` marks a box between two analysed pictures.
    """

    track_id: int
    color: str
    box: Floats
    score: float
    identity: Identity
    pose: Pose | None = None
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    interpolated: bool = False

    def __post_init__(self) -> None:
        if self.box.shape != (4,):
            raise ValueError(f"a horse's box is (4,), got {self.box.shape}")

    def to_dict(self) -> dict[str, Any]:
        """The wire form, numbers rounded to what they are worth."""
        x0, y0, x1, y1 = (float(v) for v in self.box)
        return {
            "track_id": self.track_id,
            "tracking_id": f"horse_{self.track_id}",
            "horse_id": self.identity.horse_id,
            "name": self.identity.name,
            "certainty": self.identity.certainty.value,
            "similarity": round(self.identity.similarity, 3),
            "color": self.color,
            "bbox": {
                "x": round(x0, 1),
                "y": round(y0, 1),
                "width": round(x1 - x0, 1),
                "height": round(y1 - y0, 1),
                "confidence": round(self.score, 3),
            },
            "pose": None if self.pose is None else pose_to_dict(self.pose),
            "metrics": {k: None if v is None else round(v, 4) for k, v in self.metrics.items()},
            "interpolated": self.interpolated,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "HorseObservation":
        """Read the wire form. Raises ``KeyError`` or ``ValueError`` on a foreign one."""
        box = data["bbox"]
        return cls(
            track_id=int(data["track_id"]),
            color=str(data["color"]),
            box=np.array([box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]], np.float32),
            score=float(box["confidence"]),
            identity=Identity(data["horse_id"], data["name"], Certainty(data["certainty"]), float(data["similarity"])),
            pose=None if data["pose"] is None else pose_from_dict(data["pose"]),
            metrics=dict(data["metrics"]),
            interpolated=bool(data.get("interpolated", False)),
        )


@dataclass(frozen=True, eq=False)
class Observation:
    """All horses of one analysed picture of one stream; ``horses`` may be empty, which is a fact too."""

    stream_id: str
    wall_us: int
    pts: int
    width: int
    height: int
    horses: tuple[HorseObservation, ...]

    def to_dict(self) -> dict[str, Any]:
        """The wire form."""
        return {
            "stream_id": self.stream_id,
            "wall_us": self.wall_us,
            "pts": self.pts,
            "width": self.width,
            "height": self.height,
            "horses": [horse.to_dict() for horse in self.horses],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Observation":
        """Read the wire form. Raises ``KeyError`` or ``ValueError`` on a foreign one."""
        return cls(
            stream_id=str(data["stream_id"]),
            wall_us=int(data["wall_us"]),
            pts=int(data["pts"]),
            width=int(data["width"]),
            height=int(data["height"]),
            horses=tuple(HorseObservation.from_dict(horse) for horse in data["horses"]),
        )


def pose_to_dict(pose: Pose) -> dict[str, Any]:
    """The contract's pose: ``{skeleton, keypoints: [{x, y, confidence, name}]}``."""
    names = load_skeleton(pose.skeleton).points
    return {
        "skeleton": pose.skeleton,
        "keypoints": [
            {"x": round(float(x), 1), "y": round(float(y), 1), "confidence": round(float(score), 3), "name": name}
            for name, (x, y), score in zip(names, pose.points, pose.scores, strict=True)
        ],
    }


def pose_from_dict(data: Mapping[str, Any]) -> Pose:
    """Read the contract's pose; the points may come in any order but all of the skeleton's must be there."""
    skeleton = load_skeleton(data["skeleton"])
    by_name = {point["name"]: point for point in data["keypoints"]}
    rows = [by_name[name] for name in skeleton.points]
    return Pose(
        skeleton=skeleton.name,
        points=np.array([[row["x"], row["y"]] for row in rows], np.float32),
        scores=np.array([row["confidence"] for row in rows], np.float32),
    )

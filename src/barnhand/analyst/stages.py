"""What the pipeline asks of each stage, so that any network, or none, can stand behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from barnhand.core.detection import Detections
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose


class DetectStage(Protocol):
    """Finds horses (``detect.Detector``)."""

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """One record a picture."""


class PoseStage(Protocol):
    """Finds skeletons (``pose.PoseEstimator``)."""

    def estimate(self, image: Image, boxes: Floats) -> list[Pose]:
        """One pose for each of ``(n, 4)`` boxes."""


class EmbedStage(Protocol):
    """Turns looks into vectors (``identity.embedder.Embedder``)."""

    def embed(self, image: Image, boxes: Floats) -> Floats:
        """``(n, d)`` unit rows for ``(n, 4)`` boxes."""


@dataclass(frozen=True)
class Stages:
    """The networks of one process; all its cameras share them. Without ``pose`` or ``embed`` those steps are left out."""

    detect: DetectStage
    pose: PoseStage | None = None
    embed: EmbedStage | None = None

"""The pose network as the rest of BarnHand sees it: a picture and boxes in, one pose a box out."""

from dataclasses import dataclass, field

import numpy as np

from barnhand.core.errors import ConfigurationError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose
from barnhand.core.skeleton import Skeleton
from barnhand.networks.adapter import PoseNetwork
from barnhand.networks.session import SessionOptions
from barnhand.networks.shelf import Shelf


@dataclass(frozen=True)
class PoseOptions:
    """How skeletons are found."""

    model: str | None = None
    """Network by name; ``None`` is the one in use."""
    session: SessionOptions = field(default_factory=SessionOptions)
    """Device and threads."""
    batch: int = 16
    """Horses run in one call of the network."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigurationError(f"a batch is at least one horse, got {self.batch}")


class PoseEstimator:
    """Finds skeletons with one network."""

    def __init__(self, network: PoseNetwork, options: PoseOptions | None = None) -> None:
        self.network = network
        self.options = options or PoseOptions()

    @classmethod
    def load(cls, shelf: Shelf, options: PoseOptions | None = None) -> "PoseEstimator":
        """Open the network the options name. Raises ``NotFoundError`` or ``ModelError``."""
        options = options or PoseOptions()
        return cls(shelf.pose(options.model, options.session), options)

    @property
    def skeleton(self) -> Skeleton:
        """The skeleton of the poses."""
        return self.network.skeleton

    def estimate(self, image: Image, boxes: Floats) -> list[Pose]:
        """One pose for each of ``(n, 4)`` corner boxes in px of the BGR picture, in their order, in px of the picture.

        A box may leave the picture or have no area. Raises ``ValueError`` for one that is not finite.
        """
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        if not np.isfinite(boxes).all():
            raise ValueError("a box for a pose has a value that is not finite")
        poses: list[Pose] = []
        for start in range(0, len(boxes), self.options.batch):
            poses += self.network.poses(image, boxes[start : start + self.options.batch])
        return poses

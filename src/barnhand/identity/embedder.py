"""What a horse looks like, as a unit vector: horses that look alike are near one another."""

from dataclasses import dataclass, field

import numpy as np

from barnhand.core.errors import ConfigurationError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.networks.adapter import EmbedNetwork
from barnhand.networks.session import SessionOptions
from barnhand.networks.shelf import Shelf


@dataclass(frozen=True)
class EmbedOptions:
    """How looks are turned into vectors."""

    model: str | None = None
    """Network by name; ``None`` is the one in use. Vectors of different networks cannot be compared."""
    session: SessionOptions = field(default_factory=SessionOptions)
    """Device and threads."""
    batch: int = 16
    """Horses run in one call of the network."""

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigurationError(f"a batch is at least one horse, got {self.batch}")


class Embedder:
    """Turns horses into vectors with one network."""

    def __init__(self, network: EmbedNetwork, options: EmbedOptions | None = None) -> None:
        self.network = network
        self.options = options or EmbedOptions()

    @classmethod
    def load(cls, shelf: Shelf, options: EmbedOptions | None = None) -> "Embedder":
        """Open the network the options name. Raises ``NotFoundError`` or ``ModelError``."""
        options = options or EmbedOptions()
        return cls(shelf.embedder(options.model, options.session), options)

    @property
    def name(self) -> str:
        """The network's name."""
        return self.network.name

    @property
    def mark(self) -> str:
        """The network's name and the fingerprint of its file, kept beside every vector it made.

        A network that is trained anew keeps its name; its vectors cannot be compared with those of before.
        """
        return f"{self.network.name}@{self.network.session.fingerprint}"

    @property
    def size(self) -> int:
        """Length of a vector."""
        return self.network.size

    def embed(self, image: Image, boxes: Floats) -> Floats:
        """``(n, size)`` unit rows for ``(n, 4)`` corner boxes in px of the BGR picture, in their order.

        Raises ``ValueError`` for a box that is not finite.
        """
        boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
        if not np.isfinite(boxes).all():
            raise ValueError("a box for an embedding has a value that is not finite")
        rows = [np.zeros((0, self.size), np.float32)]
        for start in range(0, len(boxes), self.options.batch):
            inputs = self.network.preprocess(image, boxes[start : start + self.options.batch])
            rows.append(self.network.postprocess(self.network.infer(inputs)))
        return np.concatenate(rows)

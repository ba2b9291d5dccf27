"""The detector as the rest of BarnHand sees it: pictures in, one box a horse out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from barnhand.core.detection import Detections
from barnhand.core.errors import ConfigurationError
from barnhand.core.frame import Image
from barnhand.detect.suppression import suppress
from barnhand.detect.tiles import merged, to_picture, windows
from barnhand.detect.verify import verified
from barnhand.networks.adapter import BoxNetwork, Suppression, VerifyNetwork
from barnhand.networks.session import SessionOptions
from barnhand.networks.shelf import Shelf


@dataclass(frozen=True)
class DetectOptions:
    """How horses are found."""

    model: str | None = None
    """Network by name; ``None`` is the one in use."""
    session: SessionOptions = field(default_factory=SessionOptions)
    """Device and threads."""
    threshold: float | None = None
    """Least score of a horse, 0..1; ``None`` is the network's own."""
    suppression: Suppression | None = None
    """How boxes on one horse are merged; ``None`` is the network's own, tuned where it was trained."""
    tiles: int = 1
    """Look also at ``tiles`` × ``tiles`` overlapping windows, for distant horses; 1 looks at the whole picture only."""
    overlap: float = 0.25
    """Share of its side a window has in common with its neighbour."""
    batch: int = 8
    """Pictures and windows run in one call of the network."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigurationError(f"the detection threshold is between 0 and 1, got {self.threshold}")
        if not 1 <= self.tiles <= 8:
            raise ConfigurationError(f"tiles is between 1 and 8, got {self.tiles}")
        if not 0 <= self.overlap < 1:
            raise ConfigurationError(f"the overlap of tiles is at least 0 and below 1, got {self.overlap}")
        if self.batch < 1:
            raise ConfigurationError(f"a batch is at least one picture, got {self.batch}")


class Detector:
    """Finds horses with one network, and asks a second one about boxes the first is unsure of."""

    def __init__(
        self, network: BoxNetwork, options: DetectOptions | None = None, verifier: VerifyNetwork | None = None
    ) -> None:
        """``verifier`` is asked where the network says that it wants to be (``network.verification``)."""
        self.network = network
        self.verifier = verifier
        self.options = options or DetectOptions()
        own = self.options.threshold
        self.threshold = network.threshold if own is None else own
        self._suppression = self.options.suppression or network.suppression
        self._verification = network.verification if verifier is not None else None
        low = 1.0 if self._verification is None else self._verification.low
        # Soft suppression only lowers scores; a verifier raises them, but none below what it looks at.
        self._floor = min(self.threshold, low)

    @classmethod
    def load(cls, shelf: Shelf, options: DetectOptions | None = None) -> "Detector":
        """Open the network the options name, and its verifier. Raises ``NotFoundError`` or ``ModelError``."""
        options = options or DetectOptions()
        network = shelf.detector(options.model, options.session)
        verifier = None if network.verification is None else shelf.verifier(options=options.session)
        return cls(network, options, verifier)

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """One record a ``(height, width, 3)`` BGR picture, in its px, best first, scores at least ``threshold``."""
        views: list[Image] = []
        for image in frames:
            height, width = image.shape[:2]
            views.append(image)
            views += [window.of(image) for window in windows(width, height, self.options.tiles, self.options.overlap)]
        found = self._candidates(views)
        results = []
        for image in frames:
            height, width = image.shape[:2]
            all_found = found.pop(0)
            grid = windows(width, height, self.options.tiles, self.options.overlap)
            if grid:
                parts = [to_picture(found.pop(0), window, width, height) for window in grid]
                all_found = merged(all_found, parts, self.threshold)
            kept = suppress(all_found, self._suppression)
            if self.verifier is not None and self._verification is not None:
                kept = verified(image, kept, self.verifier, self._verification)
            results.append(kept[kept.scores >= self.threshold])
        return results

    def _candidates(self, views: Sequence[Image]) -> list[Detections]:
        found: list[Detections] = []
        for start in range(0, len(views), self.options.batch):
            found += self.network.candidates(views[start : start + self.options.batch], self._floor)
        return found

"""What every adapter is: a session, and the three steps around it.

An adapter turns one family's file format into ``core`` records: ``preprocess`` makes the input tensor, ``infer`` runs it,
``postprocess`` reads the outputs. The steps are public so that each can be measured and tested alone.
"""

import ast
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose
from barnhand.core.skeleton import Skeleton
from barnhand.networks.pictures import Crops, Placement
from barnhand.networks.session import Array, Session, Signature

T = TypeVar("T")


class Task(StrEnum):
    """What a network is for."""

    DETECT = "detect"
    POSE = "pose"
    EMBED = "embed"
    VERIFY = "verify"


@dataclass(frozen=True)
class Suppression:
    """How boxes on the same horse are merged (see ``detect.suppression``).

    A box that overlaps a better one by more than ``iou`` goes. With ``sigma`` > 0 a box that stays has its score
    multiplied by ``exp(-overlap² / sigma)`` (Bodla et al., "Soft-NMS", ICCV 2017); one that falls below ``floor`` goes too.
    With ``vote`` > 0 a box that stays is the mean of the candidates that overlap it by at least half, itself among them, by
    score times ``exp(-(1 - overlap)² / vote)`` (He et al., "Bounding box regression with uncertainty", CVPR 2019).
    """

    iou: float = 0.65
    sigma: float = 0.0
    floor: float = 0.01
    limit: int = 100
    vote: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.iou <= 1 or min(self.sigma, self.vote) < 0 or not 0 <= self.floor < 1 or self.limit < 1:
            raise ValueError(f"suppression wants 0 < iou <= 1, sigma and vote >= 0, 0 <= floor < 1, limit >= 1, got {self}")


@dataclass(frozen=True)
class Verification:
    """Which boxes a verifier looks at again, and how much it counts (see ``detect.verify``).

    A box scored from ``low`` to ``high`` has ``weight`` times the verifier's logit, at most ``most`` either way, added to its
    score's logit.
    """

    low: float
    high: float
    weight: float
    most: float = 6.0

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high <= 1 or self.weight < 0 or self.most <= 0:
            raise ValueError(f"verification wants 0 < low < high <= 1, weight >= 0 and most > 0, got {self}")


class Network(ABC):
    """A session of one family."""

    task: ClassVar[Task]
    family: ClassVar[str]

    def __init__(self, session: Session) -> None:
        """Wrap a session. Raises ``ModelError`` when the file is of another family."""
        if not self.matches(session.signature):
            raise ModelError(
                f"{session.name} is not a {self.family} network: it is {session.signature.describe()}; "
                f"`barnhand models add FILE` says what it is"
            )
        self.session = session

    @classmethod
    @abstractmethod
    def matches(cls, signature: Signature) -> bool:
        """Whether a file with this signature is of this family."""

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.session.name

    def infer(self, batch: Array) -> list[Array]:
        """The outputs for an input tensor, in the order of the signature."""
        return self.session.run(batch)


class BoxNetwork(Network):
    """Pictures to candidate boxes, not yet suppressed."""

    task = Task.DETECT
    threshold: float = 0.3
    """Score from which a box counts as a horse when nobody says otherwise."""
    suppression: Suppression = Suppression()
    """How its candidates are merged when nobody says otherwise."""
    verification: Verification | None = None
    """Which of its boxes a verifier looks at again; ``None``: none."""

    @abstractmethod
    def preprocess(self, images: Sequence[Image]) -> tuple[Array, list[Placement]]:
        """BGR pictures of any sizes → the input tensor and how each was placed in it."""

    @abstractmethod
    def postprocess(self, outputs: Sequence[Array], fits: Sequence[Placement], floor: float) -> list[Detections]:
        """The outputs → the boxes of each picture that score at least ``floor``, in its own px."""

    def candidates(self, images: Sequence[Image], floor: float) -> list[Detections]:
        """All three steps for any number of pictures."""
        if not images:
            return []
        batch, fits = self.preprocess(images)
        return self.postprocess(self.infer(batch), fits, floor)


class PoseNetwork(Network):
    """Horse boxes of a picture to poses."""

    task = Task.POSE
    skeleton: Skeleton

    @abstractmethod
    def preprocess(self, image: Image, boxes: Floats) -> tuple[Array, Crops]:
        """The picture and ``(n, 4)`` boxes, n > 0 → the input tensor and where each crop was cut."""

    @abstractmethod
    def postprocess(self, outputs: Sequence[Array], crops: Crops) -> list[Pose]:
        """The outputs → one pose a crop, in px of the picture."""

    def poses(self, image: Image, boxes: Floats) -> list[Pose]:
        """All three steps; one pose a box, in the boxes' order."""
        if not len(boxes):
            return []
        batch, crops = self.preprocess(image, boxes)
        return self.postprocess(self.infer(batch), crops)


class EmbedNetwork(Network):
    """Horse boxes of a picture to unit vectors of what they look like."""

    task = Task.EMBED
    size: int
    """Length of a vector."""

    @abstractmethod
    def preprocess(self, image: Image, boxes: Floats) -> Array:
        """The picture and ``(n, 4)`` boxes, n > 0 → the input tensor."""

    @abstractmethod
    def postprocess(self, outputs: Sequence[Array]) -> Floats:
        """The outputs → ``(n, size)`` unit rows."""


class VerifyNetwork(Network):
    """Boxes of a picture to how sure it is that each shows a horse."""

    task = Task.VERIFY

    @abstractmethod
    def preprocess(self, image: Image, boxes: Floats) -> Array:
        """The picture and ``(n, 4)`` boxes, n > 0 → the input tensor."""

    @abstractmethod
    def postprocess(self, outputs: Sequence[Array]) -> Floats:
        """The outputs → ``(n,)`` logits, above 0 where a horse is likelier than anything else."""

    def logits(self, image: Image, boxes: Floats) -> Floats:
        """All three steps; one logit a box, in the boxes' order."""
        if not len(boxes):
            return np.zeros(0, np.float32)
        return self.postprocess(self.infer(self.preprocess(image, boxes)))


def fields(session: Session, key: str, kind: Callable[..., T]) -> T | None:
    """A dataclass from the JSON object in a file's metadata, ``None`` without one. Raises ``ModelError`` on a wrong one."""
    data = json_metadata(session, key)
    if not data:
        return None
    try:
        return kind(**data)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{session.name}: its metadata {key} cannot be used ({error}); export it again") from error


def json_metadata(session: Session, key: str) -> Mapping[str, Any]:
    """A JSON object in a file's metadata, empty when there is none. Raises ``ModelError`` when it is not one."""
    text = session.signature.metadata.get(key, "")
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{session.name}: its metadata {key} is not JSON ({error}); export it again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{session.name}: its metadata {key} is not a JSON object; export it again")
    return value


def float_metadata(session: Session, key: str, default: float) -> float:
    """A number in a file's metadata. Raises ``ModelError`` when it is something else."""
    text = session.signature.metadata.get(key)
    try:
        return default if text is None else float(text)
    except ValueError as error:
        raise ModelError(f"{session.name}: its metadata {key} is {text!r}, not a number; export it again") from error


COCO_HORSE = 17
"""Horse in the list of 80 COCO classes."""


def horse_class(session: Session, classes: int) -> int:
    """Index of the horse among ``classes``: by the ``names`` an Ultralytics export carries, else COCO's 17, or the only one.

    Raises ``ModelError`` when the file cannot find horses.
    """
    names = _names(session)
    for index, name in names.items():
        if name.strip().lower() == "horse" and index < classes:
            return index
    if names:
        raise ModelError(f"{session.name} knows no class named horse (it knows {', '.join(names.values())})")
    if classes == 80:
        return COCO_HORSE
    if classes == 1:
        return 0
    raise ModelError(f"{session.name} has {classes} classes and does not say which is the horse; export it with names")


def _names(session: Session) -> dict[int, str]:
    text = session.signature.metadata.get("names", "")
    if not text:
        return {}
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {}
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    return {int(index): str(name) for index, name in pairs}

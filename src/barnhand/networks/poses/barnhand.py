"""BarnHand's own pose network: a square crop of a horse to heat maps of ``horse-20``.

Input ``crops`` float32 (N, 3, 256, 256), RGB 0..255, on grey 114; output ``heatmaps`` (N, 20, 64, 64) in 0..1. Metadata:
``barnhand.crop_scale`` (side of the crop in longest box sides), ``barnhand.decode``, ``barnhand.skeleton``, and
``barnhand.calibration`` = ``{"on": "logit", "a": [...], "b": [...]}``: a point's score is sigmoid(a × logit(peak) + b).
"""

from collections.abc import Sequence

import numpy as np

from barnhand.core.errors import ModelError, NotFoundError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose
from barnhand.core.skeleton import Skeleton, load_skeleton
from barnhand.networks.adapter import PoseNetwork, float_metadata, json_metadata
from barnhand.networks.pictures import Crops, planes, square_crops
from barnhand.networks.poses.legs import FLOOR, Decoding, decode
from barnhand.networks.session import Array, Session, Signature

FAMILY = "barnhand-pose"
LEG_POINTS = ("elbow", "stifle", "carpus", "hock", "front_hoof", "hind_hoof")


class BarnHandPose(PoseNetwork):
    """The embedded pose network, or one fine-tuned from it."""

    family = FAMILY

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        metadata = session.signature.metadata
        try:
            self.skeleton = load_skeleton(metadata.get("barnhand.skeleton", "horse-20"))
        except NotFoundError as error:
            raise ModelError(f"{session.name}: {error}") from error
        channels = session.signature.outputs[0].size(1)
        if channels is not None and channels != len(self.skeleton):
            raise ModelError(f"{session.name} gives {channels} points, skeleton {self.skeleton.name} has {len(self.skeleton)}")
        self.side = session.signature.inputs[0].size(2) or 256
        self.scale = float_metadata(session, "barnhand.crop_scale", 1.25)
        self.decoding = Decoding.parse(metadata.get("barnhand.decode", ""))
        self.leg_pairs = leg_pairs(self.skeleton)
        self._slope, self._shift = _calibration(session, len(self.skeleton))

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """One crop in, one heat map a point out, and the family's name."""
        return (
            signature.metadata.get("barnhand.family") == FAMILY
            and len(signature.inputs) == 1
            and len(signature.outputs) == 1
            and signature.inputs[0].rank == signature.outputs[0].rank == 4
        )

    def preprocess(self, image: Image, boxes: Floats) -> tuple[Array, Crops]:
        """RGB planes of square crops, 0..255."""
        crops = square_crops(image, boxes, self.scale, self.side)
        return planes(crops.pixels, rgb=True), crops

    def postprocess(self, outputs: Sequence[Array], crops: Crops) -> list[Pose]:
        """Peaks, legs in pairs, scores calibrated."""
        points, peaks = decode(outputs[0], self.leg_pairs, self.decoding)
        p = np.clip(peaks, FLOOR, 1 - FLOOR)
        logit = np.log(p) - np.log1p(-p)
        scores = 1 / (1 + np.exp(-(self._slope * logit + self._shift)))
        placed = crops.points_to_picture(points)
        return [Pose(self.skeleton.name, point, score) for point, score in zip(placed, scores.astype(np.float32), strict=True)]


def leg_pairs(skeleton: Skeleton) -> list[tuple[int, int]]:
    """Indices (left, right) of the skeleton's leg points."""
    names = [(f"left_{name}", f"right_{name}") for name in LEG_POINTS]
    return [(skeleton.index(a), skeleton.index(b)) for a, b in names if skeleton.has(a) and skeleton.has(b)]


def _calibration(session: Session, count: int) -> tuple[Floats, Floats]:
    data = json_metadata(session, "barnhand.calibration")
    if not data:
        return np.ones(count, np.float32), np.zeros(count, np.float32)
    if data.get("on", "logit") != "logit":
        raise ModelError(f"{session.name} is calibrated on {data['on']!r}, which this BarnHand does not know; update BarnHand")
    try:
        slope, shift = np.array(data["a"], np.float32), np.array(data["b"], np.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{session.name}: its metadata barnhand.calibration cannot be used; export it again") from error
    if slope.shape != (count,) or shift.shape != (count,):
        raise ModelError(f"{session.name} is calibrated for {slope.shape} points, it has {count}; export it again")
    return slope, shift

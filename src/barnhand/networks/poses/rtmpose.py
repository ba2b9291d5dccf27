"""RTMPose trained on AP-10K, as MMPose exports it: SimCC, one distribution along each axis.

Jiang et al., "RTMPose", arXiv:2303.07399; SimCC: Li et al., ECCV 2022. Input ``input`` float32 (N, 3, 256, 256), RGB,
ImageNet mean and standard deviation, a square of 1.25 × the longest box side on black. Outputs ``simcc_x`` and ``simcc_y``
(N, 17, 512): two bins a pixel. The place is each axis's highest bin; the score is the smaller of the two maxima, cut to
0..1. It is not a calibrated probability.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from barnhand.core.errors import ModelError
from barnhand.core.frame import Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton
from barnhand.networks.adapter import PoseNetwork
from barnhand.networks.pictures import Crops, planes
from barnhand.networks.session import Array, Session, Signature

PADDING = 1.25
"""Side of the crop in longest box sides."""
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class RtmPose(PoseNetwork):
    """RTMPose with a square input and AP-10K's 17 points."""

    family = "rtmpose"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.skeleton = load_skeleton("ap10k-17")
        names = [tensor.name for tensor in session.signature.outputs]
        self._x, self._y = names.index("simcc_x"), names.index("simcc_y")
        points = session.signature.outputs[self._x].size(1)
        if points is not None and points != len(self.skeleton):
            raise ModelError(f"{session.name} gives {points} points; BarnHand reads RTMPose with AP-10K's 17")
        height, width = (session.signature.inputs[0].size(axis) or 256 for axis in (2, 3))
        if height != width:
            raise ModelError(f"{session.name} takes {width} x {height} px, a network for people; take one trained on AP-10K")
        self.side = width

    @classmethod
    def matches(cls, signature: Signature) -> bool:
        """The two outputs are named after SimCC."""
        return len(signature.inputs) == 1 and {tensor.name for tensor in signature.outputs} == {"simcc_x", "simcc_y"}

    def preprocess(self, image: Image, boxes: Floats) -> tuple[Array, Crops]:
        """Normalised RGB planes of squares cut to fractions of a pixel."""
        pixels = np.empty((len(boxes), self.side, self.side, 3), np.uint8)
        size = np.maximum((boxes[:, 2:] - boxes[:, :2]).max(axis=1), 1) * PADDING
        corner = (boxes[:, :2] + boxes[:, 2:]) / 2 - size[:, None] / 2
        for i, (edge, (x, y)) in enumerate(zip(size.tolist(), corner.tolist(), strict=True)):
            s = self.side / edge
            affine = np.array([[s, 0, -x * s], [0, s, -y * s]], np.float64)
            cv2.warpAffine(image, affine, (self.side, self.side), dst=pixels[i], flags=cv2.INTER_LINEAR)
        return planes(pixels, rgb=True, mean=MEAN, std=STD), Crops(pixels, corner.astype(np.float32), size.astype(np.float32))

    def postprocess(self, outputs: Sequence[Array], crops: Crops) -> list[Pose]:
        """The highest bin of each axis."""
        x, y = outputs[self._x].astype(np.float32), outputs[self._y].astype(np.float32)
        bins = x.shape[2] / self.side
        places = np.stack([x.argmax(axis=2), y.argmax(axis=2)], axis=2).astype(np.float32) / np.float32(bins)
        scores = np.clip(np.minimum(x.max(axis=2), y.max(axis=2)), 0, 1).astype(np.float32)
        # MMPose's own map back has no half pixel: px × edge / side + corner.
        scale = (crops.edge / self.side)[:, None, None]
        placed = (places * scale + crops.corner[:, None]).astype(np.float32)
        return [Pose(self.skeleton.name, point, score) for point, score in zip(placed, scores, strict=True)]

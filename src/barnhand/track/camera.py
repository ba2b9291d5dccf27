"""How the camera itself moved between two pictures.

Corners of the picture outside the horses are followed by pyramidal Lucas-Kanade optical flow and a similarity transform
is fitted to them (RANSAC). The picture is scaled down first, so the cost does not depend on the camera. A picture that
barely differs from the one before has not moved; nothing is computed for it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from barnhand.core.frame import Image
from barnhand.core.geometry import Floats

Matrix = npt.NDArray[np.float64]


_STILL: Matrix = np.eye(2, 3)
_STILL.flags.writeable = False


def still() -> Matrix:
    """The motion of a camera that did not move: the ``(2, 3)`` identity, always the same array."""
    return _STILL


@dataclass(frozen=True)
class CameraOptions:
    """How the camera's motion is measured."""

    enabled: bool = True
    """Whether to measure at all; off, every camera counts as fixed."""
    width: int = 192
    """Width in px the picture is scaled down to."""
    corners: int = 40
    """Corners followed at most."""
    least: int = 8
    """Corners that must agree, or the camera counts as fixed for this picture."""
    still: float = 2.0
    """Median over 8 × 6 tiles of the mean grey difference (0..255) below which the camera has not moved."""
    agree: float = 0.4
    """Share of followed corners that must agree."""


class CameraMotion:
    """Follows one camera; one instance a stream."""

    def __init__(self, options: CameraOptions | None = None) -> None:
        self._options = options or CameraOptions()
        self._grey: Image | None = None

    def update(self, image: Image, boxes: Floats) -> Matrix:
        """Motion from the picture of the last call to ``image``.

        ``boxes`` is ``(n, 4)`` px of the *last* picture: what may move on its own and is left out. Returns a ``(2, 3)``
        matrix in px of the full picture that takes a point of the last picture to where the same place is now.
        """
        options = self._options
        if not options.enabled:
            return still()
        scale = options.width / image.shape[1]
        size = (options.width, max(16, round(image.shape[0] * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # a tenth of INTER_AREA's time, as exact here
        grey: Image = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
        before, self._grey = self._grey, grey
        if before is None or before.shape != grey.shape:
            return still()
        if self._unchanged(before, grey):
            return still()
        matrix = self._fit(before, grey, boxes * np.float32(scale))
        if matrix is still():
            return matrix
        return np.concatenate([matrix[:, :2], matrix[:, 2:] / scale], axis=1)

    def _unchanged(self, before: Image, grey: Image) -> bool:
        """A moving camera changes nearly every part of the picture; a moving horse, a part of it: the median tells."""
        tiles = cv2.resize(cv2.absdiff(before, grey), (8, 6), interpolation=cv2.INTER_AREA)
        return float(np.median(tiles)) < self._options.still

    def _fit(self, before: Image, grey: Image, boxes: Floats) -> Matrix:
        options = self._options
        mask = np.full(before.shape, 255, np.uint8)
        for x0, y0, x1, y1 in boxes.astype(int).tolist():
            mask[max(y0 - 2, 0) : max(y1 + 3, 0), max(x0 - 2, 0) : max(x1 + 3, 0)] = 0
        points = cv2.goodFeaturesToTrack(before, options.corners, 0.01, 5, mask=mask)
        if points is None or len(points) < options.least:
            return still()
        moved, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, points, np.empty_like(points), winSize=(11, 11), maxLevel=3)
        followed = found.reshape(-1) == 1
        if int(followed.sum()) < options.least:
            return still()
        matrix, inliers = cv2.estimateAffinePartial2D(
            points[followed], moved[followed], ransacReprojThreshold=1.0, maxIters=200, confidence=0.98
        )
        if matrix is None or inliers is None:
            return still()
        count = int(inliers.sum())
        growth = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        if count < max(options.least, options.agree * int(followed.sum())) or not 0.7 < growth < 1.4:
            return still()
        return np.asarray(matrix, np.float64)


def move_boxes(matrix: Matrix, boxes: Floats) -> Floats:
    """``(n, 4)`` boxes carried along with the camera's motion; they stay upright."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    moved = centre @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([moved - half, moved + half], axis=1).astype(np.float32)

"""How the camera itself moved between two pictures.

Corners of the picture outside the horses are followed by pyramidal Lucas-Kanade optical flow and a similarity transform
is fitted to them (RANSAC). The picture is scaled down first, so the cost does not depend on the camera. Most cameras
stand: a picture is first compared, in a few of its rows, with the last one that was measured, and where most parts of it are
the same nothing else is computed.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from barnhand.core.frame import Image
from barnhand.core.geometry import Floats

Matrix = npt.NDArray[np.float64]
_Points = npt.NDArray[np.float32]

_STILL: Matrix = np.eye(2, 3)
_STILL.flags.writeable = False

ENOUGH = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 10, 0.03)
"""When a corner's position is exact enough: so many steps, or one of less than so many px."""
ROWS = 12
TILES = (8, 6)
"""Across and down; each has two of the compared rows."""


def still() -> Matrix:
    """The motion of a camera that did not move: the ``(2, 3)`` identity, always the same array."""
    return _STILL


@dataclass(frozen=True)
class CameraOptions:
    """How the camera's motion is measured."""

    enabled: bool = True
    """Whether to measure at all; off, every camera counts as fixed."""
    width: int = 160
    """Width in px the picture is scaled down to."""
    corners: int = 24
    """Corners followed at most; looked for anew when fewer than half of them are left …"""
    least: int = 8
    """… and so many must agree, or the camera counts as fixed for this picture."""
    still: float = 2.0
    """Median over the tiles of the mean difference (0..255) below which the camera has not moved."""
    agree: float = 0.5
    """Share of followed corners that must agree."""


@dataclass(frozen=True, eq=False)
class _View:
    """The last picture that was measured."""

    rows: Image
    """``(ROWS, w / 2)``: the green of every other pixel of a few rows of the full picture."""
    grey: Image
    """``(h, w)``, scaled down."""
    corners: _Points
    """``(k, 1, 2)`` px of ``grey`` that were followed to here and agreed."""


class CameraMotion:
    """Follows one camera; one instance a stream."""

    def __init__(self, options: CameraOptions | None = None) -> None:
        self._options = options or CameraOptions()
        self._last: _View | None = None

    def update(self, image: Image, boxes: Floats) -> Matrix:
        """What the camera moved by since the last picture that was measured: those since then looked the same.

        ``boxes`` is ``(n, 4)`` px of the picture of the last call: what may move on its own and is left out. Returns a
        ``(2, 3)`` matrix in px of the full picture that takes a point from where it was then to where the same place is
        now; the product of all that were returned is the camera's way.
        """
        options, last = self._options, self._last
        if not options.enabled:
            return still()
        rows: Image = np.ascontiguousarray(image[image.shape[0] // (2 * ROWS) :: max(1, image.shape[0] // ROWS), ::2, 1][:ROWS])
        if last is not None and rows.shape == last.rows.shape and self._unchanged(last.rows, rows):
            return still()
        scale = options.width / image.shape[1]
        size = (options.width, max(16, round(image.shape[0] * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)  # a tenth of INTER_AREA's time, as exact here
        grey: Image = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8)
        matrix, corners = still(), np.empty((0, 1, 2), np.float32)
        if last is not None and last.grey.shape == grey.shape:
            matrix, corners = self._fit(last, grey, boxes * np.float32(scale))
        self._last = _View(rows, grey, corners)
        if matrix is still():
            return matrix
        return np.concatenate([matrix[:, :2], matrix[:, 2:] / scale], axis=1)

    def _unchanged(self, before: Image, rows: Image) -> bool:
        """A moving camera changes nearly every part of the picture; a moving horse, a part of it: the median tells."""
        changed = np.asarray(cv2.resize(cv2.absdiff(before, rows), TILES, interpolation=cv2.INTER_AREA)).ravel()
        return bool(np.partition(changed, changed.size // 2)[changed.size // 2] < self._options.still)

    def _fit(self, last: _View, grey: Image, boxes: Floats) -> tuple[Matrix, _Points]:
        """The motion in px of ``grey`` and, if it is not ``still()``, where the corners are now that agree."""
        options, none = self._options, np.empty((0, 1, 2), np.float32)
        corners = _outside(boxes, last.corners)
        if len(corners) < options.corners / 2:
            mask = np.full(grey.shape, 255, np.uint8)
            for x0, y0, x1, y1 in boxes.astype(int).tolist():
                mask[max(y0 - 2, 0) : max(y1 + 3, 0), max(x0 - 2, 0) : max(x1 + 3, 0)] = 0
            found = cv2.goodFeaturesToTrack(last.grey, options.corners, 0.01, 5, mask=mask)
            corners = none if found is None else np.asarray(found, np.float32)
        if len(corners) < options.least:
            return still(), none
        moved, told, _ = cv2.calcOpticalFlowPyrLK(
            last.grey, grey, corners, np.empty_like(corners), winSize=(9, 9), maxLevel=2, criteria=ENOUGH
        )
        followed = told.reshape(-1) == 1
        count = int(followed.sum())
        if count < options.least:
            return still(), none
        corners, moved = corners[followed], np.asarray(moved, np.float32)[followed]
        matrix, inliers = cv2.estimateAffinePartial2D(corners, moved, ransacReprojThreshold=1.0, maxIters=50, confidence=0.98)
        if matrix is None or inliers is None:
            return still(), none
        agreed = inliers.reshape(-1) == 1
        growth = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        if int(agreed.sum()) < max(options.least, options.agree * count) or not 0.7 < growth < 1.4:
            return still(), none
        return np.asarray(matrix, np.float64), moved[agreed]


def _outside(boxes: Floats, points: _Points) -> _Points:
    """Those of the ``(k, 1, 2)`` points that no box has within 2 px."""
    if not len(points) or not len(boxes):
        return points
    within = np.all((points >= boxes[:, :2] - 2) & (points <= boxes[:, 2:] + 2), axis=2)
    return np.asarray(points[~np.any(within, axis=1)], np.float32)


def move_boxes(matrix: Matrix, boxes: Floats) -> Floats:
    """``(n, 4)`` boxes carried along with the camera's motion; they stay upright."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    moved = centre @ matrix[:, :2].T + matrix[:, 2]
    return np.concatenate([moved - half, moved + half], axis=1).astype(np.float32)

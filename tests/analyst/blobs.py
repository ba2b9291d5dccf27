"""Pictures of coloured blobs on grey ground, and stages that really find them: no network needed.

A blob's colour is its identity; a blob in front hides what is behind it, as a horse does.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from barnhand.core.detection import Detections
from barnhand.core.frame import Frame, Image
from barnhand.core.geometry import Floats
from barnhand.core.pose import Pose
from barnhand.core.skeleton import load_skeleton
from barnhand.core.time import SECOND_US, pts_of_wall

WIDTH, HEIGHT = 320, 192
START_US = 1_800_000_000 * SECOND_US
HUES = {"red": 0, "yellow": 30, "green": 60, "cyan": 90, "blue": 120, "magenta": 150}
Box = tuple[float, float, float, float]


def paint(blobs: Mapping[str, Box]) -> Image:
    """A picture of blobs, later ones in front."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    grey = (90 + 30 * np.sin(columns / 17) * np.cos(rows / 13)).astype(np.uint8)
    image = np.repeat(grey[:, :, None], 3, axis=2)
    for name, (x0, y0, x1, y1) in blobs.items():
        colour = cv2.cvtColor(np.array([[[HUES[name], 230, 220]]], np.uint8), cv2.COLOR_HSV2BGR)[0, 0].tolist()
        cv2.rectangle(image, (round(x0), round(y0)), (round(x1) - 1, round(y1) - 1), colour, -1)
    return np.ascontiguousarray(image)


def frame(blobs: Mapping[str, Box], seconds: float, stream_id: str = "cam") -> Frame:
    wall_us = START_US + round(seconds * SECOND_US)
    return Frame(stream_id, wall_us, pts_of_wall(wall_us), paint(blobs))


def walker(seconds: float, start: float = 20, speed: float = 30, y: float = 60, size: float = 50) -> Box:
    """A box that walks to the right at ``speed`` px/s."""
    x = start + speed * seconds
    return (x, y, x + size * 1.4, y + size)


class BlobDetector:
    """A box around each blob of one colour that shows at least 60 px."""

    def __init__(self) -> None:
        self.pictures = 0

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        self.pictures += len(frames)
        return [self._one(image) for image in frames]

    def _one(self, image: Image) -> Detections:
        hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
        boxes, scores = [], []
        for hue in HUES.values():
            near = np.minimum(np.abs(hsv[..., 0].astype(int) - hue), 180 - np.abs(hsv[..., 0].astype(int) - hue)) < 12
            mask = (near & (hsv[..., 1] > 120)).astype(np.uint8)
            _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
            for x, y, w, h, pixels in stats[1:].tolist():
                if pixels >= 60:
                    boxes.append([x, y, x + w, y + h])
                    scores.append(0.9)
        if not boxes:
            return Detections.none()
        return Detections(np.array(boxes, np.float32), np.array(scores, np.float32))


class BlobEmbedder:
    """A histogram of the colours in a box, as a unit vector of 12."""

    def embed(self, image: Image, boxes: Floats) -> Floats:
        rows = []
        for x0, y0, x1, y1 in boxes.astype(int).tolist():
            hsv = cv2.cvtColor(image[max(y0, 0) : y1, max(x0, 0) : x1], cv2.COLOR_BGR2HSV)
            hues = hsv[..., 0][hsv[..., 1] > 120]
            row = np.bincount((hues.astype(int) + 7) % 180 // 15, minlength=12).astype(np.float32)
            rows.append(row / max(float(np.linalg.norm(row)), 1e-6))
        return np.array(rows, np.float32).reshape(len(boxes), 12)


class BlobPose:
    """Puts a skeleton's points on the box's diagonal, so that it can be told where they must be."""

    def estimate(self, image: Image, boxes: Floats) -> list[Pose]:  # noqa: ARG002 - a rule needs no picture
        count = len(load_skeleton("horse-20"))
        share = np.linspace(0, 1, count, dtype=np.float32)[:, None]
        return [Pose("horse-20", box[:2] + share * (box[2:] - box[:2]), np.full(count, 0.8, np.float32)) for box in boxes]

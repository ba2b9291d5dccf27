"""Exact ground truth of a rendered scene: masks, boxes, joints with visibility, how much is hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from training.synthetic.anatomy import HORSE_20, Anatomy
from training.synthetic.model import HorseModel
from training.synthetic.rig import Floats, skin
from training.synthetic.view import Camera, Rendered

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class HorseTruth:
    """What one horse is in one picture.

    ``bbox`` is the box of what is seen, ``full_bbox`` of the whole horse cut to the picture, both [x, y, w, h]; ``keypoints``
    (20, 3): x, y, v with v 2 seen, 1 hidden, 0 outside; ``hidden`` the share of the horse inside the picture that something
    covers; ``outside`` the share of the whole horse that the picture cuts off.
    """

    bbox: Box
    full_bbox: Box
    mask: npt.NDArray[np.bool_]
    keypoints: Floats
    hidden: float
    outside: float


class Surveyor:
    """Measures rendered scenes of one model."""

    def __init__(self, model: HorseModel, anatomy: Anatomy) -> None:
        self._model = model
        self._anatomy = anatomy

    def survey(self, rendered: Rendered, camera: Camera, skinning: Floats, number: int, scale: float) -> HorseTruth | None:
        """The truth of horse ``number``, or None when nothing of it is seen."""
        mask = rendered.labels == number
        if not mask.any():
            return None
        ys, xs = np.nonzero(mask)
        bbox = (float(xs.min()), float(ys.min()), float(xs.max() - xs.min() + 1), float(ys.max() - ys.min() + 1))
        coarse = self._model.coarse
        points = skin(coarse.points, coarse.joints, coarse.weights, skinning)
        pixels, depth = camera.project(points)
        whole = self._silhouette(pixels, depth, camera)
        margin = whole.shape[0] // 3, whole.shape[1] // 3
        inside = whole[margin[0] : -margin[0], margin[1] : -margin[1]]
        total, within = int(whole.sum()), int(inside.sum())
        left, top = np.clip(pixels.min(0), 0, [camera.width, camera.height])
        right, bottom = np.clip(pixels.max(0), 0, [camera.width, camera.height])
        # The coarse outline is a little inside or outside the drawn one; the whole box always holds the seen one.
        left, top = min(left, bbox[0]), min(top, bbox[1])
        right, bottom = max(right, bbox[0] + bbox[2]), max(bottom, bbox[1] + bbox[3])
        seen = int(cv2.resize(mask.astype(np.uint8), (inside.shape[1], inside.shape[0]), interpolation=cv2.INTER_AREA).sum())
        return HorseTruth(
            bbox,
            (float(left), float(top), float(right - left), float(bottom - top)),
            mask,
            self._joints(rendered, camera, skinning, number, scale),
            float(np.clip(1 - seen / max(within, 1), 0, 1)),
            float(np.clip(1 - within / max(total, 1), 0, 1)),
        )

    def _silhouette(self, pixels: Floats, depth: Floats, camera: Camera) -> npt.NDArray[np.uint8]:
        """The whole horse's outline at half size, on a canvas a third wider than the picture on each side."""
        height, width = camera.height // 2, camera.width // 2
        canvas = np.zeros((height + 2 * height, width + 2 * width), np.uint8)
        corners = (pixels / 2 + [width, height])[self._model.coarse.faces]
        front = (depth[self._model.coarse.faces] > 0.1).all(1)
        for triangle in np.clip(corners[front], -20000, 20000).astype(np.int32):
            cv2.fillConvexPoly(canvas, triangle, 1)
        return canvas

    def _joints(self, rendered: Rendered, camera: Camera, skinning: Floats, number: int, scale: float) -> Floats:
        pixels, depth = camera.project(self._anatomy.positions(skinning))
        out = np.zeros((len(HORSE_20), 3))
        for k, ((x, y), far) in enumerate(zip(pixels, depth, strict=True)):
            column, row = int(np.floor(x)), int(np.floor(y))
            if far <= 0.1 or not (0 <= column < camera.width and 0 <= row < camera.height):
                continue
            rows, columns = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
            mine = rendered.labels[rows, columns] == number
            near = mine & (far - rendered.depth[rows, columns] < self._anatomy.slack[k] * scale)
            # A point is seen when its own pixel's neighbourhood shows this horse's surface at the point's depth.
            out[k] = (x, y, 2 if near.sum() >= 2 else 1)
        return out


def annotation(truth: HorseTruth, **fields: Any) -> dict[str, Any]:
    """One COCO annotation: visible box, RLE mask, keypoints, and the given further fields."""
    packed = coco_mask.encode(np.asfortranarray(truth.mask.astype(np.uint8)))
    keypoints = [round(float(v), 1) if i % 3 < 2 else int(v) for i, v in enumerate(truth.keypoints.ravel())]
    return {
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [round(v, 1) for v in truth.bbox],
        "full_bbox": [round(v, 1) for v in truth.full_bbox],
        "area": int(truth.mask.sum()),
        "segmentation": {"size": [int(v) for v in packed["size"]], "counts": packed["counts"].decode("ascii")},
        "keypoints": keypoints,
        "num_keypoints": int((truth.keypoints[:, 2] > 0).sum()),
        "occlusion": round(truth.hidden, 3),
        "truncation": round(truth.outside, 3),
        **fields,
    }

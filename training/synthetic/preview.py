"""Draws ground truth over a picture: left green, right red, middle cyan; hidden joints are rings."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.synthetic.anatomy import HORSE_20


def annotated(picture: npt.NDArray[np.uint8], annotations: list[dict[str, Any]]) -> npt.NDArray[np.uint8]:
    """A copy of the BGR picture with boxes and joints."""
    out = picture.copy()
    for a in annotations:
        x, y, w, h = (int(v) for v in a["bbox"])
        cv2.rectangle(out, (x, y), (x + w, y + h), (255, 200, 0), 1)
        cv2.putText(
            out,
            f"{a['activity']} {a['occlusion']:.1f}",
            (x, max(y - 3, 10)),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.35,
            (255, 255, 255),
            1,
            cv2.LINE_AA,
        )
        for k, name in enumerate(HORSE_20):
            px, py, v = a["keypoints"][3 * k : 3 * k + 3]
            if v:
                colour = (0, 255, 0) if name.startswith("left") else (0, 0, 255) if name.startswith("right") else (255, 255, 0)
                cv2.circle(out, (int(px), int(py)), 3, colour, -1 if v == 2 else 1, cv2.LINE_AA)
    return out

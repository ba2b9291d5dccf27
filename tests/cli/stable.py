"""Pictures and videos with one blue horse in a known place."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from tests.networks import known

HORSE = (100, 60, 260, 200)
"""Corners in px of a picture of 320 × 240."""
BBOX = [100, 60, 160, 140]


def write_picture(path: Path, *, horse: bool = True) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = known.picture(320, 240, [(HORSE, known.BLUE)] if horse else [])
    assert cv2.imwrite(str(path), image)
    return path


def write_video(path: Path, pictures: int = 6) -> Path:
    """The horse walks 4 px to the right a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(10), options={"crf": "10", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(pictures):
            x0, y0, x1, y1 = HORSE
            image = known.picture(320, 240, [((x0 + 4 * index, y0, x1 + 4 * index, y1), known.BLUE)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")))
        container.mux(stream.encode(None))
    return path

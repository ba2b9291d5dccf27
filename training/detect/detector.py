"""BarnHand's own detector behind the same call as the yardsticks: a torch network, or the exported file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import torch

from barnhand.networks.pictures import letterbox, rectangle
from training.detect.network import HORSE, Nano
from training.detect.suppress import suppress
from training.detect.yardsticks import Array, inside, session


@dataclass(frozen=True)
class Suppression:
    """How overlapping boxes are thinned: see `suppress.suppress`."""

    iou: float = 0.65
    soft: float = 0.5
    floor: float = 0.003
    vote: float = 0.02

    def as_json(self) -> str:
        """The `barnhand.nms` entry of the exported file."""
        kind = "soft" if self.soft > 0 else "hard"
        return json.dumps({"kind": kind, "iou": self.iou, "sigma": self.soft, "floor": self.floor, "vote": self.vote})

    @staticmethod
    def from_json(text: str) -> Suppression:
        entry = json.loads(text)
        values = {"iou": entry["iou"], "soft": entry["sigma"], "floor": entry["floor"], "vote": entry.get("vote", 0)}
        return Suppression(**{name: float(value) for name, value in values.items()})


class Torch:
    """The network of a checkpoint, uncalibrated, which looks once at a square."""

    def __init__(self, network: Nano, size: int = 416, suppression: Suppression | None = None) -> None:
        self.network, self.size, self.suppression = network.eval(), size, suppression or Suppression()

    def __call__(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        canvas, placed = letterbox(picture, self.size)
        with torch.no_grad():
            out = self.network(torch.from_numpy(canvas.transpose(2, 0, 1)[None].astype(np.float32)))
        scores = out.objectness[0].sigmoid() * out.classes[0, :, HORSE].sigmoid()
        return thin(out.boxes[0].numpy(), scores.numpy(), placed.letterbox.scale, picture, self.suppression)


class Exported:
    """`horse-detector.onnx`, with the suppression its metadata names."""

    def __init__(self, path: Path) -> None:
        self.session: ort.InferenceSession = session(path)
        meta = self.session.get_modelmeta().custom_metadata_map
        self.area = int(meta["barnhand.area"])
        self.suppression = Suppression.from_json(meta["barnhand.nms"])

    def __call__(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        height, width = picture.shape[:2]
        canvas, placed = letterbox(picture, *rectangle(width, height, self.area))
        boxes, scores = self.session.run(None, {"images": canvas.transpose(2, 0, 1)[None].astype(np.float32)})
        return thin(boxes[0], scores[0], placed.letterbox.scale, picture, self.suppression)


def thin(boxes: Array, scores: Array, scale: float, picture: npt.NDArray[np.uint8], how: Suppression) -> tuple[Array, Array]:
    """Raw cells to boxes in the picture."""
    return suppress(inside(boxes / scale, picture), scores, how.iou, how.floor, how.soft, vote=how.vote)

"""From a checkpoint to `horse-detector.onnx`: the horse's score alone, calibrated, weights stored in half precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as nnf
from onnx import numpy_helper
from torch import Tensor, nn

from training.common.export import export_fp32, write_metadata
from training.detect.detector import Suppression
from training.detect.network import CLASSES, HORSE, RIVALS, STRIDES, Focus, Nano, fold_focus, keep_classes

#: Pixels of the input at run time. Both looks together then take no more time than YOLOX-nano's 416².
AREA = 416 * 320
#: Sides of the second look by the first's, in percent.
SECOND = 65
#: Axes whose sizes stay free in the exported graph, beside the first.
FREE = {"images": {2: "h", 3: "w"}, "boxes": {1: "m"}, "scores": {1: "m"}}
#: Cells around a place in which another look counts as seeing the same, and what it counts as where it sees nothing.
REACH, UNSEEN = 2, 0.01
#: The score from which a box counts; `Calibration.shift` is chosen for it.
THRESHOLD = 0.3
LICENCE = "MIT (BarnHand); weights derived from YOLOX-nano, Apache-2.0, Copyright (c) 2021-2022 Megvii Inc."


#: Weights of at least this many numbers are stored in half precision; biases and constants stay as they are.
STORED_HALF = 64


@dataclass(frozen=True)
class Calibration:
    """How objectness and classes become the score.

    look = objectness^trust · horse · (horse / (horse + rival))^doubt, where `rival` is the highest of cow, sheep, dog, cat
    and person; score = sigmoid(slope · logit(look · other^agree) + shift), where `other` is the most that the other look sees
    around the same place. `slope` and `shift` never change the order of scores; `shift` puts the wanted rate of false boxes
    at 0.3. `doubt` takes score from a box that looks like another animal or a person as well; `trust` below 1 lets the class,
    which was taught the overlap of the box, weigh more than the objectness, which was taught 0 or 1; `agree` takes score from
    what only one look sees.
    """

    slope: float = 1.0
    shift: float = 0.0
    doubt: float = 0.0
    trust: float = 1.0
    agree: float = 0.0


class Deployed(nn.Module):
    """The network as the runtime sees it: it looks twice, the second time at the picture mirrored and smaller.

    Input `images` (N, 3, H, W) float BGR 0–255, H and W any multiples of 32. Output `boxes` (N, M, 4), corners in input
    pixels, and `scores` (N, M) in 0…1: the candidates of both looks, the second without the cells of the finest stride, for
    suppression to merge. `second` 0 looks once.

    The network given is cut down to the horse's class and its rivals', and its first convolution folded, in place.
    """

    def __init__(self, network: Nano, calibration: Calibration, second: int = SECOND) -> None:
        super().__init__()
        self.network = network
        if network.classes == len(CLASSES):
            keep_classes(network, (HORSE, *RIVALS))
        if isinstance(network.stem, Focus):
            fold_focus(network)
        self.calibration = calibration
        self.second = second

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        boxes, scores = self._look(images, coarse=False)
        if self.second:
            # Sizes are tensors while a graph is traced: they stay free.
            height, width = images.shape[2], images.shape[3]
            h, w = ((side * self.second // 100 + 16) // 32 * 32 for side in (height, width))
            small = nnf.interpolate(images, size=(h, w), mode="bilinear", align_corners=False)
            again, said = self._look(small.flip(3), coarse=True)
            x1, y1, x2, y2 = again.unbind(-1)
            fx, fy = width / w, height / h
            boxes = torch.cat([boxes, torch.stack([width - x2 * fx, y1 * fy, width - x1 * fx, y2 * fy], -1)], 1)
            scores = torch.cat(agreed(scores, (height, width), said, (h, w), self.calibration.agree), 1)
        scores = scores.clamp(1e-5, 1 - 1e-5)
        logit = torch.log(scores / (1 - scores))
        return boxes, torch.sigmoid(self.calibration.slope * logit + self.calibration.shift)

    def _look(self, images: Tensor, coarse: bool) -> tuple[Tensor, Tensor]:
        out = self.network(images, coarse)
        classes = torch.sigmoid(out.classes)
        horse, rival = classes[..., 0], classes[..., 1:].amax(-1)
        score = torch.sigmoid(out.objectness) ** self.calibration.trust * horse
        if self.calibration.doubt > 0:
            score = score * (horse / (horse + rival)) ** self.calibration.doubt
        return out.boxes, score


def agreed(
    first: Tensor, size: tuple[int, int], second: Tensor, smaller: tuple[int, int], power: float
) -> tuple[Tensor, Tensor]:
    """Scores (N, M) of both looks, each times the most that the other sees around the same place, to `power`.

    `size`, `smaller`: height and width of the pictures that were looked at, the second one mirrored. The finest cells of the
    first look, which the second lacks, keep theirs.
    """
    if not power:
        return first, second
    finest, *one = maps(first, size, STRIDES)
    two = [level.flip(3) for level in maps(second, smaller, STRIDES[1:])]
    seen = [level * around(two, level) ** power for level in one]
    said = [(level * around(one, level) ** power).flip(3) for level in two]
    return torch.cat([level.flatten(1) for level in (finest, *seen)], 1), torch.cat([level.flatten(1) for level in said], 1)


def maps(scores: Tensor, size: tuple[int, int], strides: tuple[int, ...]) -> list[Tensor]:
    """Scores (N, M) of cells as one (N, 1, h, w) a stride."""
    found, start = [], 0
    for stride in strides:
        h, w = size[0] // stride, size[1] // stride
        found.append(scores[:, start : start + h * w].reshape(-1, 1, h, w))
        start = start + h * w
    return found


def around(others: list[Tensor], level: Tensor) -> Tensor:
    """The highest of other cells within `REACH` of the same place, for each cell of `level` (N, 1, h, w)."""
    shape = (level.shape[2], level.shape[3])
    near = [nnf.interpolate(nnf.max_pool2d(other, 2 * REACH + 1, 1, REACH), size=shape, mode="nearest") for other in others]
    return torch.stack(near).amax(0).clamp(min=UNSEEN)


def halve(path: Path) -> None:
    """Store the convolutions' weights of the file in half precision; onnxruntime widens them once, when it loads the file."""
    model = onnx.load(str(path))
    weights = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    casts = []
    for tensor in model.graph.initializer:
        wide = numpy_helper.to_array(tensor)
        if tensor.name in weights and wide.size >= STORED_HALF:
            name, half = tensor.name, f"{tensor.name}.half"
            tensor.CopyFrom(numpy_helper.from_array(wide.astype(np.float16), half))
            casts.append(onnx.helper.make_node("Cast", [half], [name], to=onnx.TensorProto.FLOAT))
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *rest])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def export(
    network: Nano, out: Path, version: str, calibration: Calibration, suppression: Suppression, area: int = AREA
) -> Deployed:
    """Write `out`, and return the torch network that it answers as."""
    deployed = Deployed(network.cpu().eval(), calibration)
    example = torch.zeros(2, 3, 96, 160)
    export_fp32(deployed, example, out, input_name="images", output_names=("boxes", "scores"), free=FREE)
    halve(out)
    meta = {
        "barnhand.family": "barnhand-detector",
        "barnhand.version": version,
        "barnhand.area": str(area),
        "barnhand.nms": suppression.as_json(),
        "barnhand.threshold": str(THRESHOLD),
        "licence": LICENCE,
    }
    write_metadata(out, meta)
    return deployed

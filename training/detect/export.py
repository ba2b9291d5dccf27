"""From a checkpoint to `horse-detector.onnx`: horse row only, scores calibrated, int8 but for the last convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnxruntime.quantization import CalibrationMethod
from torch import Tensor, nn

from training.common.export import export_fp32, quantise_int8, write_metadata
from training.detect.data import load
from training.detect.detector import Suppression
from training.detect.network import CLASSES, HORSE, RIVALS, Focus, Nano, fold_focus, keep_classes
from training.detect.ranges import activation_ranges
from training.detect.yardsticks import letterbox

Array = npt.NDArray[np.float32]

#: The score from which a box counts; `Calibration.shift` is chosen for it.
THRESHOLD = 0.3
LICENCE = "MIT (BarnHand); weights derived from YOLOX-nano, Apache-2.0, Copyright (c) 2021-2022 Megvii Inc."


#: SiLU is Sigmoid and Mul: with both quantised the whole backbone stays in int8, the fastest of the mixes tried.
QUANTISED = ("Conv", "Sigmoid", "Mul", "Add", "Concat", "MaxPool", "Resize", "Clip")


#: Backbone and heads stay fp32, the neck is int8. The backbone's few channels have long-tailed values that 256 levels do
#: not hold, and SiLU costs more in int8 than the convolutions save there: measured in docs/adr/017.
FLOAT = ("/network/stem", *(f"/network/dark{n}" for n in (2, 3, 4, 5)), "/network/heads")


@dataclass(frozen=True)
class Calibration:
    """How objectness and classes become the score.

    score = sigmoid(slope · logit(objectness^trust · horse · (horse / (horse + rival))^doubt) + shift), where `rival` is
    the highest of cow, sheep, dog and cat. `slope` and `shift` never change the order of scores; `shift` puts the wanted
    rate of false boxes at 0.3. `doubt` takes score from a box that looks like another animal as well; `trust` below 1
    lets the class, which was taught the overlap of the box, weigh more than the objectness, which was taught 0 or 1.
    """

    slope: float = 1.0
    shift: float = 0.0
    doubt: float = 0.0
    trust: float = 1.0


class Deployed(nn.Module):
    """The network as the runtime sees it.

    Input `images` (N, 3, S, S) float BGR 0–255. Output `boxes` (N, M, 4), corners in input pixels, and `scores` (N, M)
    in 0…1. The network given is cut down to the horse's class and its rivals', and its first convolution
    folded, in place.
    """

    def __init__(self, network: Nano, calibration: Calibration) -> None:
        super().__init__()
        self.network = network
        if network.classes == len(CLASSES):
            keep_classes(network, (HORSE, *RIVALS))
        if isinstance(network.stem, Focus):
            fold_focus(network)
        self.calibration = calibration

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        out = self.network(images)
        c = self.calibration
        classes = torch.sigmoid(out.classes)
        horse, rival = classes[..., 0], classes[..., 1:].amax(-1)
        score = torch.sigmoid(out.objectness) ** c.trust * horse
        if c.doubt > 0:
            score = score * (horse / (horse + rival)) ** c.doubt
        score = score.clamp(1e-5, 1 - 1e-5)
        return out.boxes, torch.sigmoid(c.slope * torch.log(score / (1 - score)) + c.shift)


def sample(data: Path, count: int, size: int, seed: int = 3) -> Iterator[Array]:
    """Letterboxed training pictures (1, 3, S, S) for the ranges of the activations, half of them without horses."""
    library = load(data, None).pictures
    rng = np.random.default_rng(seed)
    shares = {"horse": 0.3, "arena": 0.15, "silhouette": 0.05, "livestock": 0.25, "pet": 0.15, "human": 0.1}
    for kind, share in shares.items():
        drawer = library[kind]
        for index in rng.choice(len(drawer), min(len(drawer), round(count * share)), replace=False):
            canvas, _ = letterbox(drawer[int(index)].read(), size)
            yield canvas.transpose(2, 0, 1)[None].astype(np.float32)


def tail(path: Path) -> list[str]:
    """Names of the nodes that stay fp32: the head's last 1×1 convolutions and everything after them."""
    late: set[str] = set()
    names = []
    for node in onnx.load(str(path)).graph.node:
        last = node.op_type == "Conv" and "_out/" in node.name
        if last or any(i in late for i in node.input):
            late.update(node.output)
            names.append(node.name)
    return names


def whole_precision(path: Path) -> list[str]:
    """Names of the nodes of the parts named in `FLOAT`, and of the concatenation before them."""
    nodes = onnx.load(str(path)).graph.node
    entry = next(node.name for node in nodes if node.op_type == "Concat")
    return [entry, *(node.name for node in nodes if node.name.startswith(FLOAT))]


def export(
    network: Nano,
    data: Path,
    out: Path,
    version: str,
    calibration: Calibration,
    suppression: Suppression,
    size: int = 416,
    pictures: int = 64,
    ranges: dict[str, tuple[float, float]] | None = None,
) -> tuple[Deployed, dict[str, tuple[float, float]]]:
    """Write `out` (int8) and, beside it, `.fp32.onnx`.

    Returns the torch network that both answer as, and the ranges of the activations, which may be handed in again when
    only the calibration changed.
    """
    deployed = Deployed(network.cpu().eval(), calibration)
    whole = out.with_suffix(".fp32.onnx")
    export_fp32(deployed, torch.zeros(2, 3, size, size), whole, input_name="images", output_names=("boxes", "scores"))
    keep = [*tail(whole), *whole_precision(whole)]
    ranges = ranges or activation_ranges(whole, QUANTISED, sample(data, pictures, size))
    overrides = {name: [{"rmin": np.float32(low), "rmax": np.float32(high)}] for name, (low, high) in ranges.items()}
    quantise_int8(
        whole,
        out,
        input_name="images",
        batches=sample(data, 10, size),
        keep_fp32=keep,
        op_types=QUANTISED,
        method=CalibrationMethod.MinMax,
        extra={"TensorQuantOverrides": overrides},
    )
    meta = {
        "barnhand.family": "barnhand-detector",
        "barnhand.version": version,
        "barnhand.input": str(size),
        "barnhand.nms": suppression.as_json(),
        "barnhand.threshold": str(THRESHOLD),
        "licence": LICENCE,
    }
    for path in (whole, out):
        write_metadata(path, meta)
    return deployed, ranges

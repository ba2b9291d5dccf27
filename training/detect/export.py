"""From a checkpoint to `horse-detector.onnx`: the horse's score alone, calibrated, weights stored in half precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from training.common.export import export_fp32, write_metadata
from training.detect.detector import Suppression
from training.detect.network import CLASSES, HORSE, RIVALS, Focus, Nano, fold_focus, keep_classes

#: The score from which a box counts; `Calibration.shift` is chosen for it.
THRESHOLD = 0.3
LICENCE = "MIT (BarnHand); weights derived from YOLOX-nano, Apache-2.0, Copyright (c) 2021-2022 Megvii Inc."


#: Weights of at least this many numbers are stored in half precision; biases and constants stay as they are.
STORED_HALF = 64


@dataclass(frozen=True)
class Calibration:
    """How objectness and classes become the score.

    score = sigmoid(slope · logit(objectness^trust · horse · (horse / (horse + rival))^doubt) + shift), where `rival` is
    the highest of cow, sheep, dog, cat and person. `slope` and `shift` never change the order of scores; `shift` puts the
    wanted rate of false boxes at 0.3. `doubt` takes score from a box that looks like another animal or a person as well;
    `trust` below 1 lets the class, which was taught the overlap of the box, weigh more than the objectness, which was
    taught 0 or 1.
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
    network: Nano, out: Path, version: str, calibration: Calibration, suppression: Suppression, size: int = 416
) -> Deployed:
    """Write `out`, and return the torch network that it answers as."""
    deployed = Deployed(network.cpu().eval(), calibration)
    export_fp32(deployed, torch.zeros(2, 3, size, size), out, input_name="images", output_names=("boxes", "scores"))
    halve(out)
    meta = {
        "barnhand.family": "barnhand-detector",
        "barnhand.version": version,
        "barnhand.input": str(size),
        "barnhand.nms": suppression.as_json(),
        "barnhand.threshold": str(THRESHOLD),
        "licence": LICENCE,
    }
    write_metadata(out, meta)
    return deployed

"""From a checkpoint to `horse-detector.onnx`: the horse's score alone, calibrated, in bytes where the network is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from barnhand.networks.adapter import Verification
from barnhand.networks.detectors.closer import Closer
from training.common.export import export_fp32, write_metadata
from training.detect.detector import Suppression
from training.detect.integers import in_bytes, ranges, settle
from training.detect.network import CLASSES, HORSE, RIVALS, Focus, Nano, fold_focus, keep_classes
from training.detect.store import RANGES, keep_bytes, shorten, shrink

#: Pixels of the first look at run time. With the second, taken where the first saw something, it takes less time than
#: YOLOX-nano's 416² on every set of `sets.py`.
AREA = 108_544
#: The second look.
CLOSER = Closer(area=100_000)
#: What a verifier is asked about, where there is one.
VERIFICATION = Verification(low=0.05, high=0.5, weight=0.25)
#: Axes whose sizes stay free in the exported graph, beside the first.
FREE = {"images": {2: "h", 3: "w"}, "boxes": {1: "m"}, "scores": {1: "m"}}
#: The score from which a box counts; the shift is chosen for it.
THRESHOLD = 0.3
LICENCE = "MIT (BarnHand); weights derived from YOLOX-nano, Apache-2.0, Copyright (c) 2021-2022 Megvii Inc."


@dataclass(frozen=True)
class Calibration:
    """How objectness and classes become the score of a look.

    look = objectness^trust · horse · (horse / (horse + rival))^doubt, where `rival` is the highest of cow, sheep, dog, cat
    and person. `doubt` takes score from a box that looks like another animal or a person as well; `trust` below 1 lets the
    class, which was taught the overlap of the box, weigh more than the objectness, which was taught 0 or 1. `shift` is added
    to the logits of the scores after both looks and never changes their order: it puts the wanted rate of false boxes at 0.3.
    """

    doubt: float = 2.0
    trust: float = 0.5
    shift: float = 0.0


class Deployed(nn.Module):
    """One look of the network as the runtime sees it.

    Input `images` (N, 3, H, W) float BGR 0–255, H and W any multiples of 32. Output `boxes` (N, M, 4), corners in input
    pixels, and `scores` (N, M) in 0…1.

    The network given is cut down to the horse's class and its rivals', and its first convolution folded, in place.
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
        classes = torch.sigmoid(out.classes)
        horse, rival = classes[..., 0], classes[..., 1:].amax(-1)
        score = torch.sigmoid(out.objectness) ** self.calibration.trust * horse
        if self.calibration.doubt > 0:
            score = score * (horse / (horse + rival)) ** self.calibration.doubt
        return out.boxes, score


def export(
    network: Nano,
    out: Path,
    version: str,
    calibration: Calibration,
    suppression: Suppression,
    area: int = AREA,
    closer: Closer | None = CLOSER,
    verification: Verification | None = None,
) -> Deployed:
    """Write `out`, and return the torch network that it answers as."""
    deployed = Deployed(network.cpu().eval(), calibration)
    example = torch.zeros(2, 3, 96, 160)
    steps: dict[str, Tensor] = {}
    whole: dict[str, str] = {}
    if in_bytes(deployed.network):
        steps = settle(deployed.network)
        whole = {RANGES: json.dumps(ranges(deployed.network))}
    export_fp32(deployed, example, out, input_name="images", output_names=("boxes", "scores"), free=FREE)
    keep_bytes(out, steps)
    shrink(out)
    shorten(out)
    meta = {
        "barnhand.family": "barnhand-detector",
        "barnhand.version": version,
        "barnhand.area": str(area),
        "barnhand.nms": suppression.as_json(),
        "barnhand.threshold": str(THRESHOLD),
        "barnhand.shift": str(calibration.shift),
        "licence": LICENCE,
    }
    write_metadata(out, meta | whole | looks(closer, verification))
    return deployed


def looks(closer: Closer | None, verification: Verification | None) -> dict[str, str]:
    """The metadata of the second look and of what a verifier looks at again."""
    entries = {"barnhand.closer": closer, "barnhand.verify": verification}
    return {key: json.dumps(asdict(value)) for key, value in entries.items() if value is not None}

"""BarnHand's own detector behind the same call as the yardsticks: a torch network, or the exported file."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from barnhand.detect.detector import DetectOptions
from barnhand.detect.detector import Detector as Runtime
from barnhand.networks.detectors.barnhand import BarnHandDetector
from barnhand.networks.session import Device, Session, SessionOptions
from barnhand.networks.verifiers.barnhand import BarnHandVerifier
from training.detect.network import Nano
from training.detect.yardsticks import Array

CPU = SessionOptions(device=Device.CPU)


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


class Exported:
    """`horse-detector.onnx` as the runtime runs it, both looks and the verifier beside it."""

    def __init__(self, path: Path, verifier: Path | None = None) -> None:
        network = BarnHandDetector(Session(path, CPU))
        other = None if verifier is None else BarnHandVerifier(Session(verifier, CPU))
        self.detector = Runtime(network, DetectOptions(threshold=network.suppression.floor), other)

    def __call__(self, picture: npt.NDArray[np.uint8]) -> tuple[Array, Array]:
        (found,) = self.detector.detect([picture])
        return found.boxes, found.scores


class Torch(Exported):
    """The network of a checkpoint, uncalibrated, looking as the exported file does."""

    def __init__(self, network: Nano) -> None:
        from training.detect.export import Calibration, export

        with TemporaryDirectory() as folder:
            file = Path(folder) / "checkpoint.onnx"
            export(deepcopy(network), file, "checkpoint", Calibration(), Suppression())
            super().__init__(file)

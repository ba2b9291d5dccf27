"""Figures on held-out animals: PCK by group, calibration, with the runtime's crop and decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.pose.augment import AugmentOptions, plain
from training.pose.data import CACHE_SCALE, CACHE_SIZE, Animals
from training.pose.decode import decode
from training.pose.metrics import pck_table, relative_errors
from training.pose.model import PoseNet
from training.pose.skeleton import MIRROR

Floats = npt.NDArray[np.float32]
Predict = Callable[[Floats], Floats]
"""(n, 3, S, S) RGB 0..255 to (n, 20, S/4, S/4)."""

SIZE = 256


def torch_predictor(model: PoseNet, *, mirror: bool = False) -> Predict:
    """Heatmaps of a torch model; with `mirror`, the mean of the picture's and its mirror's."""

    @torch.no_grad()
    def predict(crops: Floats) -> Floats:
        x = torch.from_numpy(crops).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            heat = model(x)
            if mirror:
                heat = (heat + model(x.flip(-1)).flip(-1)[:, list(MIRROR)]) / 2
        return np.asarray(heat.float().numpy(), np.float32)

    return predict


def predict_animals(predict: Predict, animals: Animals, *, size: int = SIZE, batch: int = 16) -> tuple[Floats, Floats, Floats, Floats]:
    """Heatmaps, true points, states and longest box side of every animal, in pixels of the (size) crop."""
    options = AugmentOptions()
    heat, points, state = [], [], []
    for start in range(0, len(animals), batch):
        samples = [plain(animals.crops[i], animals.points[i], size, options) for i in range(start, min(start + batch, len(animals)))]
        heat.append(predict(np.stack([s.image for s in samples]).transpose(0, 3, 1, 2).astype(np.float32)))
        points += [s.points for s in samples]
        state += [s.state for s in samples]
    longest = animals.box.max(1) * (size / CACHE_SIZE * CACHE_SCALE / options.crop_scale)
    return np.concatenate(heat), np.stack(points), np.stack(state).astype(np.float32), longest.astype(np.float32)


def evaluate_model(model: PoseNet, animals: Animals) -> dict[str, Any]:
    """PCK table of a torch model on these animals, with and without choosing legs in pairs."""
    heat, points, state, longest = predict_animals(torch_predictor(model), animals)
    result: dict[str, Any] = {}
    for name, penalty in (("", None), ("single_", 0.0)):
        found, _ = decode(heat) if penalty is None else decode(heat, penalty=penalty)
        table = pck_table(relative_errors(found, points, longest), state > 0)
        result |= {name + key: value for key, value in table.items()}
    return result

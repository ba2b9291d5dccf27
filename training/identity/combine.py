"""From a checkpoint to the network that is exported: averaged weights, and a share of the branch ImageNet left."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from training.common.precision import half
from training.identity import crops
from training.identity.augment import view
from training.identity.evaluate import rendered_figures
from training.identity.measures import Floats32, retrieval
from training.identity.model import (
    AFTER_MIDDLE,
    FROZEN,
    POOLED,
    STILL,
    TRAINED,
    HorseEmbedder,
    TrainedBranch,
    pooled,
    pooled_middle,
)
from training.identity.sampler import Sampler
from training.identity.store import Store, widened
from training.identity.train import averaged, pictures

Pictures = npt.NDArray[np.uint8]


def planes(rows: Pictures) -> Tensor:
    """BGR crops (n, h, w, 3) as RGB planes, 0..255."""
    return torch.from_numpy(np.ascontiguousarray(rows[:, :, :, ::-1].transpose(0, 3, 1, 2))).float()


def mixed(run: Path, earlier: tuple[Path, float] | None = None) -> dict[str, Tensor]:
    """The moving average of the run's weights, mixed with that of an ``earlier`` checkpoint of the same run and its weight:
    two points of one path are often better in the middle.
    """
    last = averaged(run / "last.pt")
    if earlier is None:
        return last
    other = averaged(earlier[0])
    return {
        name: torch.lerp(late, other[name], earlier[1]) if late.dtype.is_floating_point else late for name, late in last.items()
    }


@torch.no_grad()
def assembled(run: Path, earlier: tuple[Path, float] | None = None, batches: int = 16) -> HorseEmbedder:
    """The run's averaged weights beside the untouched blocks.

    On ``batches`` batches of training crops the untouched features are whitened and shortened, and the trained vectors turned
    so that the directions that are kept hold most of their length.
    """
    branch = TrainedBranch()
    still = copy.deepcopy(nn.ModuleList(branch.late[: AFTER_MIDDLE - FROZEN]))
    branch.load_state_dict(mixed(run, earlier))
    model = HorseEmbedder(branch, still).eval()
    store = Store.open(run / "store")
    sampler = Sampler(store, 20, 2, 40)
    features, vectors = [], []
    for number in range(batches):
        rng = np.random.default_rng((3, number))
        with half("cpu"):
            low = branch.trunk(pictures(store, sampler.batch(rng), rng))
            features.append(pooled_middle(low, still)[0].float())
            vectors.append(branch.head(pooled(low, branch.late)).float())
    weight, bias = whitening(torch.cat(features).double().numpy(), STILL)
    model.plain.weight.copy_(torch.from_numpy(weight))
    model.plain.bias.copy_(torch.from_numpy(bias))
    rows = torch.cat(vectors)
    turn = torch.linalg.eigh(rows.T @ rows)[1].flip(1)[:, :TRAINED].T
    narrow = nn.Linear(POOLED, TRAINED)
    narrow.weight.copy_(turn @ branch.out.weight)
    narrow.bias.copy_(turn @ branch.out.bias)
    branch.out = narrow
    return model


def whitening(features: npt.NDArray[np.float64], size: int, power: float = 0.35) -> tuple[Floats32, Floats32]:
    """Weights (size, d) and bias (size,) of the ``size`` directions of greatest variance, each divided by its standard
    deviation to twice ``power`` (0.5 would whiten them wholly and lift noise as high as the coat's colour).
    """
    centre, spread = features.mean(0), features.std(0) + 1e-3
    rows = (features - centre) / spread
    values, vectors = np.linalg.eigh(rows.T @ rows / len(rows))
    values, vectors = values[::-1][:size], vectors[:, ::-1][:, :size]
    weight = (vectors * np.maximum(values, 1e-6) ** -power).T / spread
    return weight.astype(np.float32), (-weight @ centre).astype(np.float32)


@torch.no_grad()
def parts(model: HorseEmbedder, rows: Pictures) -> tuple[Floats32, Floats32]:
    """The trained and the untouched part of the vectors of BGR crops, each of unit length."""
    found = [model.parts(planes(rows[start : start + 32])) for start in range(0, len(rows), 32)]
    return torch.cat([f[0] for f in found]).numpy(), torch.cat([f[1] for f in found]).numpy()


def joined(trained: Floats32, still: Floats32, share: float) -> Floats32:
    """What the network hands out for a ``share``."""
    return np.concatenate([trained * (1 - share) ** 0.5, still * share**0.5], 1).astype(np.float32)


def photographed_twice(data: Path, count: int = 300) -> tuple[Pictures, Pictures]:
    """Two strongly changed views each of animals of AnimalPose's validation set: photographs no training saw."""
    rng = np.random.default_rng(12)
    stored = [widened(c) for c in crops.photographed(data, {"horse": count, "cow": count // 3}, 5, "val")]
    return tuple(np.stack([view(s, rng, True) for s in stored]) for _ in range(2))  # type: ignore[return-value]


def trials(model: HorseEmbedder, data: Path, dev: Path, shares: Sequence[float]) -> dict[float, dict[str, float]]:
    """Rank-1 by share on sets that no reported figure uses: ``dev`` (rendered) and AnimalPose's validation photographs."""
    first, second = (parts(model, rows) for rows in photographed_twice(data))
    numbers = [str(k) for k in range(len(first[0]))]
    stored: dict[str, tuple[Floats32, Floats32]] = {}

    def at(share: float) -> Callable[[Pictures], Floats32]:
        def embed(rows: Pictures) -> Floats32:
            if "dev" not in stored:
                stored["dev"] = parts(model, rows)
            return joined(*stored["dev"], share)

        return embed

    out = {}
    for share in shares:
        figures = rendered_figures(dev, at(share), "dev")[0]
        out[share] = {name: value["rank1"] for name, value in figures.items()}
        out[share]["photographs"] = retrieval(joined(*first, share), joined(*second, share), numbers, numbers, False)["rank1"]
    return out

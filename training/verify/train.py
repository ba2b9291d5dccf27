"""Trains the verifier's head on several views of each collected crop, as many horses as others.

The blocks below the head do not learn, so what they see of the views is worked out once and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as fn
from tqdm import tqdm  # type: ignore[import-untyped]

from training.common.checkpoint import save_checkpoint
from training.common.log import RunLog
from training.common.seed import seed_everything
from training.identity.store import Store
from training.verify.augment import view
from training.verify.collect import KINDS
from training.verify.model import Verifier

RENDERED = ("synthetic", "recumbent")
"""Drawers of rendered horses."""


@dataclass(frozen=True)
class Options:
    """How the verifier is trained."""

    views: int = 3
    """Views of each crop, the last turned."""
    steps: int = 2500
    batch: int = 512
    rate: float = 1e-3
    weight_decay: float = 0.1
    horses: float = 0.5
    """Share of crops that show a horse."""
    rendered: float = 0.1
    """Weight of a rendered crop by that of a photographed one. Without any, rendered horses are called none; with many,
    photographs are told apart worse."""
    seed: int = 23


def tensor(pictures: list[np.ndarray]) -> Tensor:
    """BGR crops as RGB planes (N, 3, H, W), 0..255."""
    return torch.from_numpy(np.stack(pictures)[:, :, :, ::-1].copy()).permute(0, 3, 1, 2).float()


def drawers_of(folder: Path, store: Store) -> npt.NDArray[np.str_]:
    """The drawer of the library each row of the store in `folder` comes from."""
    names = [path.stem for path in sorted(folder.glob("*.json"))]
    return np.concatenate([np.full(len(part), name) for name, part in zip(names, store.parts, strict=True)])


def seen(model: Verifier, store: Store, number: int, turned: bool, seed: int, size: int = 32) -> Tensor:
    """The features (N, 384) of view `number` of every crop."""
    found = []
    with torch.inference_mode():
        for start in tqdm(range(0, len(store), size), desc=f"view {number + 1}", mininterval=10):
            rows = range(start, min(start + size, len(store)))
            views = [view(store.picture(row), np.random.default_rng((seed, number, row)), turned) for row in rows]
            found.append(model.features(tensor(views)))
    return torch.cat(found)


def features_of(folder: Path, run: Path, model: Verifier, options: Options) -> Tensor:
    """The features (V, N, 384) of all views, from the run's folder where they are there already."""
    store = Store.open(folder)
    parts = []
    for number in range(options.views):
        file = run / f"view-{number}.npy"
        if not file.is_file():
            part = file.with_suffix(".part.npy")
            np.save(part, seen(model, store, number, number + 1 == options.views, options.seed).numpy())
            part.replace(file)
        parts.append(torch.from_numpy(np.load(file)))
    return torch.stack(parts)


def chances_of(labels: npt.NDArray[np.int64], rendered: npt.NDArray[np.bool_], options: Options) -> npt.NDArray[np.float64]:
    """How likely each crop is drawn."""
    weight = np.where(rendered, options.rendered, 1.0)
    for horse, share in ((labels == 0, options.horses), (labels != 0, 1 - options.horses)):
        weight[horse] *= share / weight[horse].sum()
    return weight


def train(folder: Path, run: Path, options: Options) -> None:
    """Train in `run` on what `collect` wrote into `folder`: `run`/last.pt. The views of a stopped run are not made again."""
    seed_everything(options.seed)
    run.mkdir(parents=True, exist_ok=True)
    model = Verifier().eval()
    features = features_of(folder, run, model, options)
    store = Store.open(folder)
    labels = np.array([KINDS.index(str(group)) for group in store.groups])
    chances = chances_of(labels, np.isin(drawers_of(folder, store), RENDERED), options)
    mean, spread = features.flatten(0, 1).mean(0), features.flatten(0, 1).var(0)
    assert model.norm.running_mean is not None
    assert model.norm.running_var is not None
    model.norm.running_mean.copy_(mean)
    model.norm.running_var.copy_(spread)
    optimiser = torch.optim.AdamW(model.head.parameters(), options.rate, weight_decay=options.weight_decay)
    model.head.train()
    rng = np.random.default_rng(options.seed)
    recent = 0.0
    with RunLog(run, "verifier", options.steps) as log:
        for step in range(options.steps):
            rows = rng.choice(len(labels), options.batch, p=chances)
            batch = features[torch.from_numpy(rng.integers(0, options.views, len(rows))), torch.from_numpy(rows)]
            loss = fn.cross_entropy(model.kinds(batch), torch.from_numpy(labels[rows]))
            for group in optimiser.param_groups:
                group["lr"] = options.rate * (0.5 * (1 + np.cos(np.pi * step / options.steps)) + 0.01)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            recent = 0.98 * recent + 0.02 * loss.item() if step else loss.item()
            log.step(step + 1, f"cross entropy {recent:.3f}")
            if (step + 1) % 500 == 0 or step + 1 == options.steps:
                log.write({"step": step + 1, "cross_entropy": recent})
    save_checkpoint(run / "last.pt", {"model": model.state_dict()})

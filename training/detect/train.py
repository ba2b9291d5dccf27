"""Fine-tuning the detector from the COCO weights. Resumable: a stopped run goes on exactly where it was."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm  # type: ignore[import-untyped]

from training.common.precision import half
from training.detect.compose import CALM, Batch, Batches, Composer, From, Mix
from training.detect.data import load
from training.detect.integers import become, in_bytes
from training.detect.loss import Losses, Weights, losses
from training.detect.network import Nano, is_hard, load_coco
from training.detect.recover import load_deployed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """How to train. The card of the embedded network says what trained that one."""

    steps: int = 2200
    """Optimiser steps in all. A resumed run may be given another number; only the decay at the end moves."""
    decay: float = 0.6
    """Share of the steps, at the end, over which the learning rate falls to a fiftieth."""
    calm: float = 0.35
    """Share of the steps, at the end, with the samples of `compose.CALM`: mostly whole pictures."""
    warmup: int = 100
    """Steps over which the learning rate rises."""
    batch: int = 16
    rate: float = 1e-4
    """Learning rate of AdamW."""
    weight_decay: float = 1e-3
    average: float = 0.998
    """Decay of the moving average of the weights, which is what is evaluated and exported."""
    clip: float = 20.0
    """Largest norm of the gradient."""
    seed: int = 7


def rate_at(recipe: Recipe, step: int) -> float:
    """Warm up, stay, fall linearly."""
    tail = max(1, round(recipe.steps * recipe.decay))
    falling = max(0.02, (recipe.steps - step) / tail)
    return recipe.rate * min(1.0, (step + 1) / recipe.warmup, falling)


def freeze(network: nn.Module) -> None:
    for parameter in network.parameters():
        parameter.requires_grad_(False)


class Trainer:
    """Network, frozen teacher, moving average, optimiser and the step they are at."""

    def __init__(self, coco: Path, recipe: Recipe, weights: Weights | None = None, device: str = "cpu") -> None:
        self.recipe, self.weights, self.device = recipe, weights or Weights(), torch.device(device)
        self.coco = coco
        torch.manual_seed(recipe.seed)
        self.network = self._ready(load_coco(coco))
        for part in (self.network.stem, self.network.dark2):
            freeze(part)
        self.teacher = self._ready(load_coco(coco))
        freeze(self.teacher)
        self.average = copy.deepcopy(self.network)
        freeze(self.average)
        learned = [p for p in self.network.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            [
                {"params": [p for p in learned if p.ndim > 1], "weight_decay": recipe.weight_decay},
                {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=recipe.rate,
        )
        self.step = 0

    def _ready(self, network: Nano) -> Nano:
        placed: Nano = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return placed

    def learn(self, batch: Batch) -> Losses:
        """One optimiser step."""
        batch = Batch(*(t.to(self.device) for t in vars(batch).values()))
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.recipe, self.step)
        pixels = batch.pixels.float().contiguous(memory_format=torch.channels_last)
        with half(self.device.type):  # decoding and the loss stay float32
            with torch.no_grad():
                early = self.network.early(pixels)  # frozen, so the teacher's as well
                taught = self.teacher.late(early)
            answer = self.network.late(early)
        found = losses(answer, taught, batch, self.weights)
        self.optimiser.zero_grad()
        found.total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.requires_grad], self.recipe.clip)
        self.optimiser.step()
        self.step += 1
        self._follow()
        return found

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def save(self, path: Path) -> None:
        """Write a checkpoint; the old one stays whole until the new one is."""
        state: dict[str, Any] = {
            "step": self.step,
            "hard": is_hard(self.network),
            "bytes": in_bytes(self.network),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "recipe": asdict(self.recipe),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def begin(self, path: Path) -> None:
        """Take over the averaged weights of another run, or those of an exported file, for the network and its teacher."""
        start = load_deployed(path, self.coco) if path.suffix == ".onnx" else load_average(path)
        for network in (self.network, self.average, self.teacher):
            become(network, is_hard(start), in_bytes(start))
            network.load_state_dict(start.state_dict())

    def restore(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        for name in ("network", "average", "teacher"):
            network: Nano = getattr(self, name)
            become(network, bool(state.get("hard")), bool(state.get("bytes")))
            network.load_state_dict(state[name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


def load_average(checkpoint: Path) -> Nano:
    """The network to evaluate and export out of a checkpoint."""
    saved: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    state: dict[str, Tensor] = saved["average"]
    network = Nano(state["heads.0.class_out.weight"].shape[0], width=state["stem.conv.weight"].shape[0])
    become(network, bool(saved.get("hard")), bool(saved.get("bytes")))
    network.load_state_dict(state)
    return network.eval()


def blend(coco: Path, parts: Sequence[tuple[Path, float]], out: Path) -> None:
    """Write a checkpoint whose weights are a mean of checkpoints' averages, by share, and of the COCO weights, the rest.

    Weights between the published and the fine-tuned ones keep most of what each is good at (Wortsman et al., "Robust
    fine-tuning of zero-shot models", CVPR 2022); with little training that is worth more than the last step of it.
    """
    rest = 1.0 - sum(share for _, share in parts)
    networks = [(load_average(path), share) for path, share in parts]
    if not parts or rest < -1e-6 or any(share <= 0 for _, share in parts):
        raise ValueError(f"shares must be positive and sum to at most 1, got {[share for _, share in parts]}.")
    if rest > 1e-6:
        networks.append((load_coco(coco), rest))
    if len(kinds := {(is_hard(network), in_bytes(network)) for network, _ in networks}) > 1:
        raise ValueError("networks with hard-swish, with SiLU, as COCO's, and in bytes have no mean.")
    states = [(network.state_dict(), share) for network, share in networks]
    mean = {name: sum(share * state[name] for state, share in states) for name in states[0][0]}
    ((hard, whole),) = kinds
    torch.save({"average": mean, "hard": hard, "bytes": whole}, out)


def _loader_starts(_: int) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def loaded(batches: Dataset[Batch], start: int, end: int, workers: int) -> DataLoader[Batch]:
    """Batches number `start` up to `end`, made by `workers` processes of one thread each."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=From(start, end),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_loader_starts,
    )


def train(
    data: Path,
    coco: Path,
    out: Path,
    recipe: Recipe,
    mix: Mix | None = None,
    *,
    mined: Path | None = None,
    synthetic: Sequence[Path] = (),
    checked: Path | None = None,
    hard: Path | None = None,
    start: Path | None = None,
    device: str = "cpu",
    workers: int = 1,
    every_s: float = 180.0,
) -> Trainer:
    """Train into the folder `out` (`last.pt`, `train.log`); goes on from `out/last.pt`, else from `start`, if there."""
    library = load(data, mined, synthetic, checked, hard)
    log.info("pictures: %s", library.counts())
    trainer = Trainer(coco, recipe, device=device)
    last = out / "last.pt"
    if last.exists():
        trainer.restore(last)
        log.info("going on at step %d", trainer.step)
    elif start:
        trainer.begin(start)
        log.info("starting with the weights of %s", start)
    makers = [Composer(library, kind, recipe.seed) for kind in (mix or Mix(), CALM)]
    batches = Batches(makers[0], recipe.batch, makers[1], recipe.steps - round(recipe.steps * recipe.calm))
    loader = loaded(batches, trainer.step, recipe.steps, workers)
    recent: list[list[float]] = []
    saved = began = time.monotonic()
    bar = tqdm(loader, total=recipe.steps, initial=trainer.step, desc="train", mininterval=30)
    for batch in bar:
        recent.append([float(part.detach()) for part in trainer.learn(batch)])
        if trainer.step % 50 == 0:
            means = [sum(column) / len(recent) for column in zip(*recent, strict=True)]
            named = " ".join(f"{name} {value:.3f}" for name, value in zip(Losses._fields, means, strict=True))
            rate = len(recent) * recipe.batch / (time.monotonic() - began)
            log.info("step %d %s | %.1f pictures/s | lr %.2e", trainer.step, named, rate, rate_at(recipe, trainer.step))
            recent, began = [], time.monotonic()
        if time.monotonic() - saved > every_s:
            trainer.save(last)
            saved = time.monotonic()
    trainer.save(last)
    return trainer

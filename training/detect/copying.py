"""Teaching a network with hard-swish to answer as one with SiLU did, by the other's answers and features, and herds by labels.

The copy starts from the same weights (`network.harden`) and learns on the same kinds of pictures as `train`. A few hundred
steps bring back most of what the change of activation cost, because every cell of every stage says what it should have been.

What it learns to answer is the mean of what the other says of a picture and of its mirror image: that mean is better than
either, so the copy's one look may become better than its original's. Where the other sees a horse in a picture that has
none, the copy is told that there is none. What the other cannot do, a herd above all, would be copied as well; so some batches
are learnt from their labels, with the features of the other to hold on to.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn
from torch.utils.data import Dataset
from tqdm import tqdm  # type: ignore[import-untyped]

from training.detect.compose import Batch, Batches, Composer, Mix
from training.detect.data import Library, load
from training.detect.loss import Weights, generalised_iou, losses
from training.detect.network import HORSE, STRETCH, STRIDES, Nano, Raw, harden, is_hard
from training.detect.train import loaded

log = logging.getLogger(__name__)

#: Stages whose features are copied.
TAPS = ("dark2", "dark3", "dark4", "dark5", "down3", "up4", "up5")
#: Cells from this score on have their boxes copied.
SEEN = 0.05
MIX = Mix(negative=0.4, plain=0.6, mosaic=0.1, pasted=0.0, sizes=(224, 256, 288, 320, 352, 384))
#: Logit of the class horse where there is none.
NONE = -5.0
#: What is learnt from labels.
TAUGHT = replace(MIX, herd=0.5)
#: One batch in this many is.
EVERY = 2
#: Weight of the features there.
HOLD = 0.3


@dataclass(frozen=True)
class Copying:
    """How a network is copied."""

    steps: int = 2400
    batch: int = 12
    rate: float = 1e-3
    """Highest step of AdamW, as a share of a tensor's own size: the first convolution's weights, made for pixels up to 255, are
    a hundred times smaller than others."""
    average: float = 0.995
    clip: float = 20.0
    seed: int = 71


class Parts(NamedTuple):
    """Scalars; their sum is what is minimised."""

    features: Tensor
    objectness: Tensor
    classes: Tensor
    boxes: Tensor


def tapped(network: Nano) -> dict[str, Tensor]:
    """A record of the stages' last outputs, filled at every run of the network."""
    found: dict[str, Tensor] = {}

    def keep(name: str) -> None:
        getattr(network, name).register_forward_hook(lambda _module, _inputs, output: found.__setitem__(name, output))

    for name in TAPS:
        keep(name)
    return found


def opposite(height: int, width: int) -> Tensor:
    """For each of the M cells of an H×W input the row of the cell that takes its place when the picture is mirrored."""
    parts, first = [], 0
    for stride in STRIDES:
        down, across = height // stride, width // stride
        parts.append(torch.arange(first, first + down * across).reshape(down, across).flip(1).flatten())
        first += down * across
    return torch.cat(parts)


def both_ways(network: Nano, pixels: Tensor) -> Raw:
    """The mean of what a network says of pictures (B, 3, H, W) and of their mirror images; the pictures are run last."""
    height, width = pixels.shape[2:]
    mirrored, rows = network(pixels.flip(3)), opposite(height, width)
    straight = network(pixels)
    left, top, right, bottom = mirrored.boxes[:, rows].unbind(2)
    back = torch.stack([width - right, top, width - left, bottom], 2)
    return Raw(
        (straight.boxes + back) / 2,
        (straight.objectness + mirrored.objectness[:, rows]) / 2,
        (straight.classes + mirrored.classes[:, rows]) / 2,
    )


def corrected(said: Raw, batch: Batch) -> Raw:
    """What was said of a batch, without horses in the pictures in which none is labelled and nothing is in doubt."""
    free = ~((batch.known & (batch.labels == HORSE)).any(1) | batch.ignored.any(1))
    classes = said.classes.clone()
    classes[free, :, HORSE] = classes[free, :, HORSE].clamp(max=NONE)
    return said._replace(classes=classes)


def distance(features: dict[str, Tensor], theirs: dict[str, Tensor]) -> Tensor:
    """How far a hard network's features are from a soft one's, by those's variance."""
    return torch.stack([((features[k] / STRETCH - theirs[k]) ** 2).mean() / (theirs[k].var() + 1e-3) for k in TAPS]).sum()


def differences(out: Raw, wanted: Raw, features: dict[str, Tensor], theirs: dict[str, Tensor]) -> Parts:
    """How far a hard network's answers are from a soft one's; features of a perfect copy are `STRETCH` times as large."""
    thing, kinds = wanted.objectness.sigmoid(), wanted.classes.sigmoid()
    objects = nnf.binary_cross_entropy_with_logits(out.objectness, thing, weight=1 + 8 * thing, reduction="sum")
    weight = torch.maximum(thing, out.objectness.sigmoid().detach())[..., None].expand_as(kinds)
    classes = nnf.binary_cross_entropy_with_logits(out.classes, kinds, weight=weight, reduction="sum")
    score = thing * kinds[..., HORSE]
    seen = score > SEEN
    side = (wanted.boxes[seen][:, 2:] - wanted.boxes[seen][:, :2]).clamp(min=4).repeat(1, 2)
    edges = ((out.boxes[seen] - wanted.boxes[seen]).abs() / side).sum(-1)
    overlaps = 1 - generalised_iou(out.boxes[seen], wanted.boxes[seen])
    boxes = (score[seen] * (3 * edges + 4 * overlaps)).sum() / score[seen].sum().clamp(min=2)
    things = thing.sum().clamp(min=8)
    return Parts(distance(features, theirs), objects / things, classes / things, boxes)


class Copier:
    """A network with SiLU, its copy with hard-swish, the copy's moving average, and the step they are at."""

    def __init__(self, teacher: Nano, recipe: Copying, start: Nano | None = None) -> None:
        """`start`: an earlier copy to go on from, instead of the teacher's own weights."""
        if is_hard(teacher):
            raise ValueError("the network has hard-swish already: there is nothing to copy.")
        self.recipe, self.step = recipe, 0
        self.teacher: Nano = teacher.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network: Nano = copy.deepcopy(self.teacher if start is None else start)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is None:
            harden(self.network)
        elif not is_hard(start):
            raise ValueError("the network to go on from has no hard-swish: it is no copy.")
        self.average = copy.deepcopy(self.network)
        for parameter in [*self.teacher.parameters(), *self.average.parameters()]:
            parameter.requires_grad_(False)
        groups = [{"params": [p], "size": size_of(p)} for p in self.network.parameters()]
        self.optimiser = torch.optim.AdamW(groups, recipe.rate, weight_decay=0)
        self.features, self.theirs = tapped(self.network), tapped(self.teacher)

    def learn(self, batch: Batch) -> Parts:
        """One step on what the other says of a batch's pictures."""
        x, said = self._said(batch.pixels)
        wanted = corrected(said, batch)
        parts = differences(self.network(x), wanted, self.features, self.theirs)
        self._update(torch.stack(parts).sum())
        return parts

    def taught(self, batch: Batch) -> Tensor:
        """One step on a batch with labels; its loss."""
        x, wanted = self._said(batch.pixels)
        loss = losses(self.network(x), wanted, batch, Weights()).total + HOLD * distance(self.features, self.theirs)
        self._update(loss)
        return loss.detach()

    def one(self, batch: Batch) -> Parts | Tensor:
        """One step on the next batch of a run, copied or learnt as its number says; what `learn` or `taught` returns."""
        return self.taught(batch) if is_taught(self.step) else self.learn(batch)

    def _said(self, pixels: Tensor) -> tuple[Tensor, Raw]:
        x = pixels.float().contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            return x, both_ways(self.teacher, x)

    def _update(self, loss: Tensor) -> None:
        share = min(1.0, (self.step + 1) / 50) * (0.5 * (1 + math.cos(math.pi * self.step / self.recipe.steps)) + 0.01)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate * share * group["size"]
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimiser.step()
        keep = min(self.recipe.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)
        self.step += 1

    def save(self, path: Path) -> None:
        """Write a checkpoint that `train.load_average` reads; the old one stays whole until the new one is."""
        state = {
            "step": self.step,
            "hard": True,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def restore(self, path: Path) -> None:
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = int(state["step"])


def size_of(parameter: Tensor) -> float:
    """What a step is measured by: a weight's root mean square, and a part of a bias's, which may be near nothing."""
    mean = float(parameter.detach().pow(2).mean().sqrt())
    return max(mean, 1e-4) if parameter.ndim > 1 else max(0.3 * mean, 0.02)


class Mixed(Dataset[Batch]):
    """Batch number n of an endless run: to copy, or, every `EVERY`-th, to learn from its labels."""

    def __init__(self, copied: Batches, taught: Batches) -> None:
        self.copied, self.taught = copied, taught

    def __getitem__(self, number: int) -> Batch:
        return (self.taught if is_taught(number) else self.copied)[number]


def is_taught(number: int) -> bool:
    """Whether that batch is learnt from its labels."""
    return number % EVERY == EVERY - 1


def mixed(library: Library, recipe: Copying) -> Mixed:
    """The batches of a run."""
    return Mixed(*(Batches(Composer(library, mix, recipe.seed), recipe.batch) for mix in (MIX, TAUGHT)))


def train(
    data: Path,
    teacher: Nano,
    out: Path,
    recipe: Copying,
    *,
    start: Nano | None = None,
    mined: Path | None = None,
    synthetic: Sequence[Path] = (),
    hard: Path | None = None,
    workers: int = 1,
    every_s: float = 150.0,
) -> Copier:
    """Copy into the folder `out` (`last.pt`); goes on from `out/last.pt` if there, else from the earlier copy `start`."""
    library = load(data, mined, synthetic, hard=hard)
    copier, last = Copier(teacher, recipe, start), out / "last.pt"
    if last.exists():
        copier.restore(last)
        log.info("going on at step %d", copier.step)
    loader = loaded(mixed(library, recipe), copier.step, recipe.steps, workers)
    saved, recent, labelled = time.monotonic(), [], []
    for batch in tqdm(loader, total=recipe.steps, initial=copier.step, desc="copy", mininterval=30):
        lost = copier.one(batch)
        if isinstance(lost, Parts):
            recent.append([float(part.detach()) for part in lost])
        else:
            labelled.append(float(lost))
        if copier.step % 60 == 0 and recent and labelled:
            means = [sum(column) / len(recent) for column in zip(*recent, strict=True)]
            told = " ".join(f"{name} {value:.3f}" for name, value in zip(Parts._fields, means, strict=True))
            log.info("step %d %s labels %.3f", copier.step, told, sum(labelled) / len(labelled))
            recent, labelled = [], []
        if time.monotonic() - saved > every_s:
            copier.save(last)
            saved = time.monotonic()
    copier.save(last)
    return copier

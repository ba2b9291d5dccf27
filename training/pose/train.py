"""Training: warm up, constant rate, linear decay over the last part; weights averaged; resumable at any checkpoint."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from training.common.checkpoint import Ema, load_checkpoint, save_checkpoint
from training.common.log import RunLog
from training.common.precision import half
from training.common.seed import seed_everything
from training.pose.data import Animals, Entry
from training.pose.feed import Batch, Feed, FeedOptions
from training.pose.loss import LossOptions, pose_loss
from training.pose.model import ModelOptions, PoseNet


@dataclass(frozen=True)
class TrainOptions:
    """A training run."""

    steps: int = 6000
    """Optimiser steps in all; may be changed when a run is resumed."""
    backbone_rate: float = 1.5e-4
    head_rate: float = 7e-4
    weight_decay: float = 0.02
    warm_up: int = 100
    """Steps over which the rate rises from zero."""
    decay_from: float = 0.2
    """Progress at which the rate starts to fall linearly to 2 %."""
    clip: float = 5.0
    """Largest gradient norm."""
    ema: float = 0.995
    """Decay of the averaged weights."""
    save_every_s: float = 180.0
    """Seconds between checkpoints."""
    evaluate_every: int = 600
    """Steps between evaluations."""
    device: str = "cpu"
    workers: int = 1
    """Loader processes; 0 loads in the training process."""
    half: bool = True
    """bfloat16 where the processor computes in it."""
    feed: FeedOptions = field(default_factory=FeedOptions)
    loss: LossOptions = field(default_factory=LossOptions)
    model: ModelOptions = field(default_factory=ModelOptions)

    def rate_at(self, step: int) -> float:
        """Factor on the base rates at this step."""
        progress = step / self.steps
        fall = 1.0 if progress < self.decay_from else max(0.0, (1 - progress) / (1 - self.decay_from))
        return min(1.0, (step + 1) / self.warm_up) * (0.02 + 0.98 * fall)


class Trainer:
    """Model, optimiser and averaged weights, and one step of them."""

    def __init__(self, options: TrainOptions, *, pretrained: bool) -> None:
        seed_everything(options.feed.seed)
        self.options = options
        self.device = torch.device(options.device)
        self.model = PoseNet(options.model)
        if pretrained:
            from training.pose.pretrained import load_imagenet

            load_imagenet(self.model.backbone)
        self.model = self._placed(self.model)
        groups = self.model.parameter_groups(options.backbone_rate, options.head_rate, options.weight_decay)
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99))
        self.ema = Ema(self.model, options.ema)
        self.step = 0

    def advance(self, batch: Batch) -> dict[str, float]:
        """One optimiser step; the loss's parts."""
        self.model.train()
        factor = self.options.rate_at(self.step)
        for group in self.optimiser.param_groups:
            group["lr"] = group["base_lr"] * factor
        images = batch["images"].to(self.device).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
        with half(self.device.type, self.options.half):
            outputs = self.model.logits(images)
        points, state, outside = (batch[key].to(self.device) for key in ("points", "state", "outside"))
        loss, parts = pose_loss(outputs, points, state, outside, self.options.loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
        self.optimiser.step()
        self.ema.update(self.model)
        self.step += 1
        return {"loss": loss.item(), "norm": float(norm), **parts}

    def take(self, model: PoseNet) -> None:
        """Go on from this network's weights."""
        self.model.load_state_dict(model.state_dict())
        self.ema = Ema(self.model, self.options.ema)

    def averaged(self) -> PoseNet:
        """A copy of the model with the averaged weights, in evaluation mode, working at the size it is trained at now."""
        size = self.options.feed.size_at(min(1.0, self.step / self.options.steps))
        model = PoseNet(replace(self.options.model, inner_size=size))
        model.load_state_dict(self.ema.shadow)
        return self._placed(model).eval()

    def _placed(self, model: PoseNet) -> PoseNet:
        model = model.to(self.device)
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return model

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed run needs (the random generators are added by the checkpoint)."""
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "ema": self.ema.state_dict(),
            "options": asdict(self.options),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` returned; learning rates and steps are those of the present options."""
        self.model.load_state_dict(state["model"])
        bases = [(group["base_lr"], group["weight_decay"]) for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(state["optimiser"])
        for group, (rate, decay) in zip(self.optimiser.param_groups, bases, strict=True):
            group["base_lr"], group["weight_decay"] = rate, decay
        self.ema.load_state_dict(state["ema"])
        self.step = int(state["step"])


def train(
    options: TrainOptions,
    real: Animals,
    synthetic: Animals | None,
    val: Sequence[Entry],
    folder: Path,
    *,
    pretrained: bool = True,
    start: PoseNet | None = None,
    strides: Animals | None = None,
) -> Trainer:
    """Train until `options.steps`, from the last checkpoint in `folder` where there is one, else from `start` if given."""
    from training.pose.evaluate import evaluate_model

    trainer = Trainer(options, pretrained=pretrained and start is None)
    if start is not None:
        trainer.take(start)
    checkpoint = folder / "checkpoint.pt"
    state = load_checkpoint(checkpoint)
    if state is not None:
        trainer.load_state_dict(state)
    feed = Feed(real, synthetic, options.feed, trainer.step, options.steps, strides)
    loader: Iterator[Batch] = iter(
        DataLoader(feed, batch_size=None, num_workers=options.workers, prefetch_factor=4 if options.workers else None)
    )
    with RunLog(folder, "pose", options.steps) as log:
        log.write(
            {
                "event": "start",
                "step": trainer.step,
                "real": len(real),
                "synthetic": len(synthetic) if synthetic else 0,
                "strides": len(strides) if strides else 0,
            }
        )
        saved, since, sums, count = time.monotonic(), time.monotonic(), dict[str, float](), 0
        for batch in loader:
            parts = trainer.advance(batch)
            count += 1
            for key, value in parts.items():
                sums[key] = sums.get(key, 0.0) + value
            log.step(trainer.step, f"loss {parts['loss']:.3f}")
            if count == 50 or trainer.step == options.steps:
                rate = count * options.feed.batch / (time.monotonic() - since)
                log.write({"step": trainer.step, "pictures_s": rate, **{key: value / count for key, value in sums.items()}})
                since, sums, count = time.monotonic(), {}, 0
            if trainer.step % options.evaluate_every == 0 or trainer.step == options.steps:
                save_checkpoint(checkpoint, trainer.state_dict())
                log.write({"event": "val", "step": trainer.step, **evaluate_model(trainer.averaged(), val)})
                saved = since = time.monotonic()
            elif time.monotonic() - saved > options.save_every_s:
                save_checkpoint(checkpoint, trainer.state_dict())
                saved = time.monotonic()
    return trainer

"""Trains the embedder on fresh views of stored crops: contrast within the batch and with the centres of all rendered horses."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.common.checkpoint import Ema, load_checkpoint, save_checkpoint
from training.common.log import RunLog
from training.common.precision import half
from training.common.seed import seed_everything
from training.identity.augment import view
from training.identity.model import HEAD, Centres, TrainedBranch, contrast
from training.identity.sampler import Batch, Sampler
from training.identity.store import Store

IDENTITIES = 20000
"""Rendered horses have numbers below this one; 5000 to 5999 are for measuring and never trained on."""
NIGHT = 0.4
"""Share of photographs whose second view is as by infra-red."""


@dataclass(frozen=True)
class Options:
    """How the embedder is trained."""

    steps: int = 1400
    rendered: int = 32
    """Rendered horses a batch."""
    views: int = 3
    """Pictures of each of them, one by infra-red."""
    photographed: int = 14
    """Photographed animals a batch, two views each."""
    rate: float = 1e-3
    """Highest learning rate of the head; the backbone's stages run at a quarter of it."""
    warm_up: int = 60
    """Steps of rising rate."""
    weight_decay: float = 0.02
    temperature: float = 0.1
    centre_weight: float = 0.5
    average: float = 0.99
    """Share of the old weights kept at each step of the moving average that is exported."""
    seed: int = 17
    save_seconds: float = 150.0


def averaged(path: Path) -> dict[str, Tensor]:
    """The moving average of the weights in a checkpoint.

    Raises:
        FileNotFoundError: there is no such checkpoint.
    """
    saved = load_checkpoint(path, restore_rng=False)
    if saved is None:
        raise FileNotFoundError(f"no checkpoint {path}: train first")
    return dict(saved["average"]["shadow"])


def pictures(store: Store, batch: Batch, rng: np.random.Generator) -> Tensor:
    """Augmented RGB crops (n, 3, HEIGHT, WIDTH), 0..255; photographs are changed more than rendered pictures."""
    views = []
    for k, row in enumerate(batch.rows):
        photograph = k >= batch.rendered
        night = photograph and (k - batch.rendered) % 2 == 1 and rng.random() < NIGHT
        views.append(view(store.picture(int(row)), rng, photograph, night))
    return torch.from_numpy(np.stack(views)[:, :, :, ::-1].copy()).permute(0, 3, 1, 2).float()


def train(folder: Path, run: Path, options: Options, start_from: Path | None = None) -> None:
    """Train or go on training in ``run`` on the crops stored in ``folder``.

    A run that has no checkpoint yet begins with ImageNet's weights, or with the averaged ones of the checkpoint ``start_from``.
    """
    seed_everything(options.seed)
    torch.set_num_threads(1)
    store = Store.open(folder)
    sampler = Sampler(store, options.rendered, options.views, options.photographed)
    model, centres = TrainedBranch(), Centres(IDENTITIES, HEAD)
    if start_from is not None:
        model.load_state_dict(averaged(start_from))
    late = [p for p in model.backbone.parameters() if p.requires_grad]
    head = list(model.out.parameters())
    optimiser = torch.optim.AdamW(
        [{"params": head, "share": 1.0}, {"params": late, "share": 0.25}], lr=options.rate, weight_decay=options.weight_decay
    )
    average = Ema(model, options.average)
    start = 0
    saved = load_checkpoint(run / "last.pt")
    if saved is not None:
        model.load_state_dict(saved["model"])
        centres.load_state_dict(saved["centres"])
        optimiser.load_state_dict(saved["optimiser"])
        average.load_state_dict(saved["average"])
        start = int(saved["step"])
    run.mkdir(parents=True, exist_ok=True)
    (run / "options.json").write_text(json.dumps(asdict(options), indent=1))
    model.train()
    means, written = np.zeros(2), time.monotonic()
    with RunLog(run, "embedder", options.steps) as log:
        for step in range(start, options.steps):
            rng = np.random.default_rng((options.seed, step))
            batch = sampler.batch(rng)
            crops = pictures(store, batch, rng)
            share = min(1.0, (step + 1) / options.warm_up) * 0.5 * (1 + np.cos(np.pi * step / options.steps)) + 0.01
            for group in optimiser.param_groups:
                group["lr"] = options.rate * group["share"] * share
            with half("cpu"):
                embeddings = model.in_pieces(crops)
            embeddings = embeddings.float()
            near = contrast(embeddings, torch.from_numpy(batch.labels), options.temperature)
            horses = torch.from_numpy(batch.horses)
            far = centres(embeddings[: batch.rendered], horses)
            loss = near + options.centre_weight * far
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*head, *late], 3.0)
            optimiser.step()
            average.update(model)
            centres.follow(embeddings[: batch.rendered].detach(), horses)
            seen = np.array([near.item(), far.item()])
            means = 0.95 * means + 0.05 * seen if step > start else seen
            log.step(step + 1, f"contrast {means[0]:.3f} centres {means[1]:.3f}")
            if time.monotonic() - written > options.save_seconds or step + 1 == options.steps:
                save_checkpoint(
                    run / "last.pt",
                    {
                        "model": model.state_dict(),
                        "centres": centres.state_dict(),
                        "optimiser": optimiser.state_dict(),
                        "average": average.state_dict(),
                        "step": step + 1,
                    },
                )
                written = time.monotonic()
                log.write({"step": step + 1, "contrast": float(means[0]), "centres": float(means[1])})

"""Trains the embedder: contrast within the batch and proxies of all rendered horses, on fresh views of stored crops."""

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
from training.common.seed import seed_everything
from training.identity.augment import view
from training.identity.model import HEAD, Proxies, TrainedBranch, contrast
from training.identity.sampler import Batch, Sampler
from training.identity.store import Store

IDENTITIES = 5000
"""Rendered horses are trained on below this number; those from here on are for measuring."""


@dataclass(frozen=True)
class Options:
    """How the embedder is trained."""

    steps: int = 1600
    rendered: int = 20
    """Rendered horses a batch."""
    views: int = 4
    """Pictures of each of them."""
    photographed: int = 20
    """Photographed animals a batch, two views each."""
    rate: float = 1e-3
    """Highest learning rate of head and proxies; the backbone's stages run at a quarter of it."""
    warm_up: int = 60
    """Steps of rising rate."""
    weight_decay: float = 0.02
    temperature: float = 0.1
    proxy_weight: float = 0.5
    average: float = 0.99
    """Share of the old weights kept at each step of the moving average that is exported."""
    seed: int = 17
    save_seconds: float = 150.0


def pictures(store: Store, batch: Batch, rng: np.random.Generator) -> Tensor:
    """Augmented RGB crops (n, 3, HEIGHT, WIDTH), 0..255; photographs are changed more than rendered pictures."""
    views = [view(store.picture(int(row)), rng, k >= batch.rendered) for k, row in enumerate(batch.rows)]
    return torch.from_numpy(np.stack(views)[:, :, :, ::-1].copy()).permute(0, 3, 1, 2).float()


def train(folder: Path, run: Path, options: Options) -> None:
    """Train or go on training in ``run`` on the crops stored in ``folder``."""
    seed_everything(options.seed)
    torch.set_num_threads(1)
    store = Store.open(folder)
    sampler = Sampler(store, options.rendered, options.views, options.photographed)
    model, proxies = TrainedBranch(), Proxies(IDENTITIES, HEAD)
    late = [p for p in model.backbone.parameters() if p.requires_grad]
    head = [*model.out.parameters(), *proxies.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": head, "share": 1.0}, {"params": late, "share": 0.25}], lr=options.rate, weight_decay=options.weight_decay
    )
    average = Ema(model, options.average)
    start = 0
    saved = load_checkpoint(run / "last.pt")
    if saved is not None:
        model.load_state_dict(saved["model"])
        proxies.load_state_dict(saved["proxies"])
        optimiser.load_state_dict(saved["optimiser"])
        average.load_state_dict(saved["average"])
        start = int(saved["step"])
    run.mkdir(parents=True, exist_ok=True)
    (run / "options.json").write_text(json.dumps(asdict(options), indent=1))
    known = torch.from_numpy(sampler.known)
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
            with torch.autocast("cpu", torch.bfloat16):
                embeddings = model.in_pieces(crops)
            embeddings = embeddings.float()
            near = contrast(embeddings, torch.from_numpy(batch.labels), options.temperature)
            far = proxies(embeddings[: batch.rendered], torch.from_numpy(batch.proxies), known)
            loss = near + options.proxy_weight * far
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*head, *late], 3.0)
            optimiser.step()
            average.update(model)
            seen = np.array([near.item(), far.item()])
            means = 0.95 * means + 0.05 * seen if step > start else seen
            log.step(step + 1, f"contrast {means[0]:.3f} proxies {means[1]:.3f}")
            if time.monotonic() - written > options.save_seconds or step + 1 == options.steps:
                save_checkpoint(
                    run / "last.pt",
                    {
                        "model": model.state_dict(),
                        "proxies": proxies.state_dict(),
                        "optimiser": optimiser.state_dict(),
                        "average": average.state_dict(),
                        "step": step + 1,
                    },
                )
                written = time.monotonic()
                log.write({"step": step + 1, "contrast": float(means[0]), "proxies": float(means[1])})

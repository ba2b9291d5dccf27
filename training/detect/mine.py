"""Look for horses nobody labelled: both yardsticks over every training picture.

AnimalPose leaves animals unannotated, so its "background" is not background. What a yardstick takes for a horse and
no label explains becomes, by its score, a region the loss ignores. The result is one JSON file that `data.py` reads:
`{"<set>/<file_name>": [[score, x1, y1, x2, y2], …]}`, in pixels of the stored picture.

Computer-generated horses come one a picture and without boxes. There the yardsticks label: where both see the same
one horse, the mean of their boxes is written down, and nothing where they differ.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm  # type: ignore[import-untyped]

from training.detect.data import Pixels, load
from training.detect.suppress import overlap, suppress
from training.detect.yardsticks import YARDSTICKS, Detector

#: Scores below this are not written down.
FLOOR = 0.1
#: Where both yardsticks label: what each of them must score, and how much their boxes must overlap.
SURE, AGREED = 0.5, 0.75
#: The pictures that are labelled so.
UNLABELLED = "cgi/horses"


def pictures(data: Path) -> list[tuple[str, Path]]:
    """Key and path of every training picture."""
    found = []
    for key, file in (("animalpose", "train.json"), ("arena", "train.json"), ("silhouettes", "all.json")):
        for image in json.loads((data / key / file).read_text())["images"]:
            found.append((f"{key}/{image['file_name']}", data / key / "images" / image["file_name"]))
    for kind in ("horses", "humans"):
        found += [(f"cgi/{kind}/{p.name}", p) for p in sorted((data / "cgi" / kind).glob("*.jpg"))]
    return found


def read(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    if picture is None:
        raise ValueError(f"{path} is not a readable picture.")
    return np.asarray(picture, np.uint8)


def agreed(detectors: Iterable[Detector], path: Path) -> list[list[float]]:
    """The one horse of a picture, if all detectors see it and nothing else: the mean of their boxes, by score."""
    picture = read(path)
    found = [detector(picture) for detector in detectors]
    if any(len(scores) == 0 or scores[0] < SURE or (scores[1:] >= SURE).any() for _, scores in found):
        return []
    boxes, scores = np.stack([b[0] for b, _ in found]), np.array([s[0] for _, s in found])
    if float(overlap(boxes[0], boxes).min()) < AGREED:
        return []
    mean = (boxes * scores[:, None]).sum(0) / scores.sum()
    return [[round(float(v), 3) for v in (scores.mean(), *mean)]]


def find(detectors: Iterable[Detector], path: Path) -> list[list[float]]:
    """Horse boxes of all detectors in one picture, merged."""
    picture = read(path)
    results = [detector(picture) for detector in detectors]
    boxes, scores = suppress(np.concatenate([r[0] for r in results]), np.concatenate([r[1] for r in results]), 0.6, FLOOR)
    return [[round(float(v), 3) for v in (s, *b)] for b, s in zip(boxes, scores, strict=True)]


def mine(data: Path, models: Path, out: Path) -> None:
    """Write `out` for all training pictures under `data`."""
    detectors = [make(models / f"{name}.onnx") for name, make in YARDSTICKS.items()]
    found = {}
    for key, path in tqdm(pictures(data), desc="mine"):
        found[key] = (agreed if key.startswith(UNLABELLED) else find)(detectors, path)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found))


def mistaken(detector: Detector, data: Path, out: Path) -> None:
    """Write `out`: `{"animalpose/<file_name>": score}`, the best horse a detector sees in training pictures of other animals.

    Training on those it is wrong about more often than on others (`train --hard`) is worth more than more of them.
    """
    library = load(data, None).pictures
    scores: dict[str, float] = {}
    for picture in tqdm([*library["livestock"], *library["pet"]], desc="mistaken"):
        _, found = detector(picture.read())
        scores[f"animalpose/{picture.path.name}"] = round(float(found.max(initial=0.0)), 4)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(scores))

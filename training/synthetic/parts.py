"""Rendered pictures on disk: parts of JPEG files with a COCO annotations.json each, written so that a reader may poll."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from training.synthetic.anatomy import HORSE_20
from training.synthetic.sets import SETS

CATEGORY = {"id": 1, "name": "horse", "keypoints": list(HORSE_20)}


class Maker(Protocol):
    """Makes one picture a seed."""

    def make(self, seed: int) -> tuple[np.ndarray, dict[str, Any], list[dict[str, Any]]]:
        """BGR picture, its fields in the JSON file, its annotations."""


def write_json(path: Path, content: Any) -> None:
    """Write whole or not at all: readers poll these files."""
    draft = path.with_suffix(path.suffix + ".part")
    draft.write_text(json.dumps(content, separators=(",", ":")))
    draft.replace(path)


def make_part(maker: Maker, folder: Path, seeds: range, quality: int = 92) -> int:
    """One part.

    Pictures as JPEG and annotations.json; returns how many annotations it holds. A finished part is left as it is.
    """
    target = folder / "annotations.json"
    if target.is_file():
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, seed in enumerate(seeds):
        picture, fields, found = maker.make(seed)
        name = f"{seed:07d}.jpg"
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        images.append({"id": number, "file_name": name, **fields})
        annotations += [{"id": len(annotations) + k, "image_id": number, **a} for k, a in enumerate(found)]
    write_json(target, {"images": images, "annotations": annotations, "categories": [CATEGORY], "places": list(SETS)})
    return len(annotations)

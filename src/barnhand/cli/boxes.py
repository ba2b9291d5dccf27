"""Boxes somebody else found, as COCO writes them: a data set with ``images`` and ``annotations``, or a list of results."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from barnhand.cli.pictures import Source
from barnhand.core.errors import ConfigurationError


@dataclass(frozen=True)
class GivenBox:
    """One box: ``bbox`` is x, y, width, height in px; ``keys`` are the ids it came with, kept in its result."""

    file_name: str
    bbox: tuple[float, float, float, float]
    score: float | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file without a video's picture index."""
        return self._split[0]

    @property
    def frame(self) -> int | None:
        """The picture's index in a video."""
        index = self._split[1]
        return int(index) if index else None

    @property
    def _split(self) -> tuple[str, str]:
        name, sharp, index = self.file_name.rpartition("#")
        return (name, index) if sharp and index.isdigit() else (self.file_name, "")


def read_boxes(path: Path) -> list[GivenBox]:
    """All boxes of a file, in its order. Raises ``ConfigurationError`` saying what cannot be used."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}); --boxes wants a COCO file") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON ({error}); --boxes wants a COCO file") from error
    names: dict[Any, str] = {}
    if isinstance(data, dict):
        names = {image["id"]: str(image["file_name"]) for image in data.get("images", []) if {"id", "file_name"} <= set(image)}
        data = data.get("annotations")
    if not isinstance(data, list):
        raise ConfigurationError(f"{path} has no boxes; --boxes wants COCO's images and annotations, or a list of results")
    return [_box(path, index, row, names) for index, row in enumerate(data)]


def _box(path: Path, index: int, row: Any, names: Mapping[Any, str]) -> GivenBox:
    where = f"{path}: box {index}"
    if not isinstance(row, dict) or not isinstance(row.get("bbox"), list) or len(row["bbox"]) != 4:
        raise ConfigurationError(f"{where} has no bbox [x, y, width, height]")
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in row["bbox"]):
        raise ConfigurationError(f"{where} has a bbox with a value that is no number: {row['bbox']}")
    name = row.get("file_name", names.get(row.get("image_id")))
    if name is None:
        raise ConfigurationError(f"{where} names no picture; it needs a file_name, or an image_id that images list")
    keys = {key: row[key] for key in ("image_id", "category_id") if key in row}
    if "id" in row:
        keys["annotation_id"] = row["id"]
    x, y, width, height = (float(v) for v in row["bbox"])
    score = row.get("score")
    return GivenBox(str(name), (x, y, width, height), None if score is None else float(score), keys)


def match(boxes: Sequence[GivenBox], sources: Sequence[Source]) -> tuple[dict[Source, list[int]], list[str]]:
    """Indices of the boxes of each source, and a sentence for each picture that has boxes but is not there.

    A box's picture is the source of that name, else the one file whose path ends in it, else the one file of its last part.
    """
    by_name: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        parts = source.path.resolve().parts
        for start in range(len(parts)):
            by_name["/".join(parts[start:])].append(source)
    exact = {source.name: source for source in sources}
    matched: dict[Source, list[int]] = defaultdict(list)
    missing: dict[str, int] = defaultdict(int)
    for index, box in enumerate(boxes):
        some = by_name.get(box.file, []) or by_name.get(Path(box.file).name, [])
        if box.file in exact:
            matched[exact[box.file]].append(index)
        elif len(some) == 1:
            matched[some[0]].append(index)
        else:
            missing[box.file] += 1
    told = [f"{name} has {count} boxes but is not among the given paths" for name, count in missing.items()]
    return dict(matched), told

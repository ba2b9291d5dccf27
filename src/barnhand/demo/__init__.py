"""The demo footage: four rendered cameras as H.264 files, each with its ground truth as JSON.

The films are made by ``python -m training.synthetic demo`` from a CC0 model; docs/design/synthetic.md says what they show and
how exact their truth is.
"""

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["FILMS", "Film", "film", "films"]

FILMS = ("stall_night", "paddock", "aisle", "arena")


@dataclass(frozen=True)
class Film:
    """One film: its name and the files that hold the picture and the truth."""

    name: str
    video: Path
    truth: Path

    def read_truth(self) -> dict[str, Any]:
        """The ground truth: ``title``, ``fps``, ``width``, ``height``, ``frame_count``, ``licence``, ``keypoint_names`` and
        ``frames``.

        ``frames[n]["horses"]`` holds, for each horse there is, ``identity``, ``coat``, ``activity``, ``gait`` (None where it
        does not move), ``visible`` and, where it is visible, ``bbox`` [x, y, w, h] of what is seen, ``keypoints`` x, y, v of
        horse-20 in a row (v: 2 seen, 1 hidden, 0 outside the picture), ``occlusion`` and ``truncation`` (shares).
        ``frames[n]["others"]`` holds people.
        """
        content: dict[str, Any] = json.loads(self.truth.read_text(encoding="utf-8"))
        return content


def film(name: str) -> Film:
    """The film called ``name``.

    Raises:
        ValueError: no such film.
    """
    if name not in FILMS:
        raise ValueError(f"no demo film called {name!r}: choose one of {', '.join(FILMS)}")
    folder = resources.files(__name__)
    return Film(name, Path(str(folder / f"{name}.mp4")), Path(str(folder / f"{name}.json")))


def films() -> tuple[Film, ...]:
    """All films, in the order in which the demo shows them."""
    return tuple(film(name) for name in FILMS)

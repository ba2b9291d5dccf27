"""Skeletons as data: names, bones and mirror pairs, read from ``core/skeletons/*.json``.

Code asks for a point by its name (``skeleton.index("withers")``), never by a number.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from barnhand.core.errors import NotFoundError


@dataclass(frozen=True)
class Skeleton:
    """A set of named body points.

    ``points`` are in the order networks emit them; ``bones`` join two names; ``mirror[i]`` is the index of point ``i``
    on the other side of the body; ``equivalents`` maps a name of this skeleton to the ``horse-20`` name of the same place.
    """

    name: str
    points: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    mirror: tuple[int, ...]
    equivalents: Mapping[str, str]

    def __post_init__(self) -> None:
        if len(set(self.points)) != len(self.points):
            raise ValueError(f"skeleton {self.name} names a point twice")
        unknown = {end for bone in self.bones for end in bone} - set(self.points)
        if unknown:
            raise ValueError(f"skeleton {self.name} has bones to unknown points {sorted(unknown)}")

    def __len__(self) -> int:
        return len(self.points)

    def index(self, point: str) -> int:
        """Index of a point's name. Raises ``NotFoundError`` when this skeleton has no such point."""
        try:
            return self.points.index(point)
        except ValueError:
            raise NotFoundError(f"skeleton {self.name} has no point {point!r}; it has {', '.join(self.points)}") from None

    def has(self, point: str) -> bool:
        """Whether this skeleton has the point."""
        return point in self.points


@cache
def load_skeleton(name: str) -> Skeleton:
    """Read a skeleton that ships with BarnHand (``horse-20``, ``ap10k-17``). Raises ``NotFoundError`` for another name."""
    folder = resources.files("barnhand.core") / "skeletons"
    file = folder / f"{name}.json"
    if not file.is_file():
        known = sorted(item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json"))
        raise NotFoundError(f"there is no skeleton {name!r}; known are {', '.join(known)}")
    data = json.loads(file.read_text("utf-8"))
    points = tuple(data["points"])
    swap = {a: b for pair in data["mirror"] for a, b in (pair, pair[::-1])}
    return Skeleton(
        name=data["name"],
        points=points,
        bones=tuple((a, b) for a, b in data["bones"]),
        mirror=tuple(points.index(swap.get(point, point)) for point in points),
        equivalents=data.get("equivalents", {point: point for point in points}),
    )

"""Pictures with people and no horse, in the places of the stills: not all that walks through an aisle is a horse."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from training.synthetic.geometry import Props, person
from training.synthetic.rig import Floats
from training.synthetic.sets import Place
from training.synthetic.stills import StillMaker
from training.synthetic.studio import Actor

COUNTS = {1: 0.7, 2: 0.2, 3: 0.1}
"""Share of pictures with so many people."""


class PeopleMaker(StillMaker):
    """Makes one picture a seed; the camera looks at one of the people."""

    places: Mapping[str, float] = MappingProxyType({"aisle": 4.0, "stall": 2.0, "arena": 1.0, "paddock": 1.0})

    def _actors(self, place: Place, rng: np.random.Generator) -> tuple[list[Actor], Props]:
        props = Props()
        for _ in range(int(rng.choice(list(COUNTS), p=list(COUNTS.values())))):
            at = np.array([rng.uniform(-1, 1) * place.floor[0], 0.0, rng.uniform(-1, 1) * place.floor[1]])
            clothes = rng.uniform(0.01, 0.1, 3) if rng.random() < 0.5 else rng.uniform(0.01, 0.4, 3)
            skin = np.array([0.42, 0.26, 0.18]) * rng.uniform(0.3, 1.2)
            heading = float(rng.uniform(0, 2 * np.pi))
            if place.kind == "aisle" and rng.random() < 0.75:
                heading = float(rng.choice([0.0, np.pi]) + rng.normal(0, 0.2))
            person(props, at, heading, float(rng.random()), clothes, skin, float(rng.uniform(1.5, 1.95)))
            self._met = at
        return [], props

    def _target(self, actors: list[Actor], rng: np.random.Generator) -> Floats:  # noqa: ARG002
        return np.asarray(self._met + [0.0, 0.95, 0.0] + rng.normal(0, 0.3, 3))

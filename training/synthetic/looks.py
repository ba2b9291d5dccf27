"""What one horse looks like: coat, markings, build, tack. A look is an identity; the same seed gives the same horse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from training.synthetic.rig import Floats

Colour = tuple[float, float, float]
NEVER = 9.0


@dataclass(frozen=True)
class Look:
    """Colours are linear RGB. ``socks`` are heights of white on left front, right front, left hind, right hind leg (rest
    metres, 0 none).

    ``face``: half width of the blaze (above 1: none), radius of the star, where the blaze ends and begins along the face 0..1.
    ``pattern``: threshold of white patches (above 1: none), unused, strength of dapples, share of flecks.
    ``tone``: belly and back factors, height below which legs are dark, strength of the dorsal stripe.
    """

    name: str
    coat: str
    body: Colour
    points: Colour
    mane: Colour
    muzzle: Colour
    white: Colour = (0.62, 0.58, 0.52)
    hoof: Colour = (0.10, 0.085, 0.07)
    socks: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    face: tuple[float, float, float, float] = (NEVER, 0.0, 1.0, 0.0)
    pattern: tuple[float, float, float, float] = (NEVER, 0.0, 0.0, 0.0)
    tone: tuple[float, float, float, float] = (1.0, 1.0, -1.0, 0.0)
    offset: Colour = (0.0, 0.0, 0.0)
    build: Floats = field(default_factory=lambda: np.array([0.9, 0.9, 0.9]))
    rug: Colour | None = None
    rug_trim: Colour = (0.3, 0.3, 0.3)
    rug_style: int = 0
    halter: Colour | None = None
    saddle: Colour | None = None
    boots: Colour | None = None

    def gear_layers(self) -> list[tuple[int, float, Colour]]:
        """Shader layer, inflation in metres and colour of everything worn."""
        worn = [(1, 0.030, self.rug), (2, 0.007, self.halter), (3, 0.018, self.saddle), (4, 0.010, self.boots)]
        return [(layer, inflate, colour) for layer, inflate, colour in worn if colour is not None]

    def plain(self) -> Look:
        """The same horse without tack."""
        return replace(self, rug=None, halter=None, saddle=None, boots=None)


BASES: dict[str, tuple[Colour, Colour, Colour, Colour, tuple[float, float, float, float]]] = {
    # body, points, mane, muzzle, tone (belly, back, dark-leg height, dorsal stripe)
    "bay": ((0.17, 0.068, 0.027), (0.012, 0.009, 0.008), (0.012, 0.010, 0.009), (0.02, 0.015, 0.012), (1.15, 0.85, 0.62, 0.0)),
    "dark bay": (
        (0.060, 0.026, 0.013),
        (0.010, 0.008, 0.007),
        (0.010, 0.008, 0.007),
        (0.035, 0.022, 0.014),
        (1.3, 0.8, 0.66, 0.0),
    ),
    "chestnut": ((0.24, 0.088, 0.030), (0.19, 0.07, 0.026), (0.26, 0.11, 0.042), (0.14, 0.06, 0.034), (1.1, 0.92, 0.4, 0.0)),
    "liver chestnut": (
        (0.095, 0.036, 0.017),
        (0.08, 0.03, 0.016),
        (0.15, 0.07, 0.032),
        (0.05, 0.025, 0.016),
        (1.1, 0.9, 0.4, 0.0),
    ),
    "flaxen chestnut": (
        (0.22, 0.09, 0.032),
        (0.20, 0.085, 0.035),
        (0.50, 0.37, 0.20),
        (0.16, 0.08, 0.05),
        (1.1, 0.95, 0.4, 0.0),
    ),
    "black": (
        (0.016, 0.014, 0.014),
        (0.010, 0.009, 0.009),
        (0.010, 0.009, 0.009),
        (0.014, 0.012, 0.012),
        (1.1, 0.95, 0.6, 0.0),
    ),
    "grey": ((0.42, 0.41, 0.40), (0.13, 0.13, 0.135), (0.34, 0.33, 0.32), (0.09, 0.085, 0.085), (1.1, 0.95, 0.55, 0.0)),
    "white grey": ((0.64, 0.62, 0.58), (0.42, 0.41, 0.40), (0.62, 0.60, 0.55), (0.15, 0.13, 0.13), (1.0, 1.0, 0.25, 0.0)),
    "steel grey": ((0.16, 0.16, 0.17), (0.05, 0.05, 0.055), (0.07, 0.07, 0.075), (0.05, 0.05, 0.05), (1.1, 0.9, 0.6, 0.0)),
    "palomino": ((0.46, 0.27, 0.085), (0.42, 0.26, 0.10), (0.70, 0.64, 0.50), (0.18, 0.11, 0.07), (1.12, 0.95, 0.3, 0.0)),
    "buckskin": (
        (0.40, 0.25, 0.10),
        (0.014, 0.011, 0.010),
        (0.014, 0.011, 0.010),
        (0.035, 0.025, 0.02),
        (1.1, 0.92, 0.64, 0.0),
    ),
    "dun": ((0.31, 0.21, 0.115), (0.035, 0.026, 0.02), (0.035, 0.028, 0.022), (0.04, 0.03, 0.025), (1.15, 0.92, 0.66, 0.9)),
    "roan": ((0.24, 0.20, 0.185), (0.05, 0.035, 0.03), (0.06, 0.045, 0.04), (0.06, 0.045, 0.04), (1.05, 0.95, 0.6, 0.0)),
    "cremello": ((0.66, 0.57, 0.42), (0.66, 0.57, 0.42), (0.74, 0.68, 0.56), (0.48, 0.30, 0.24), (1.0, 1.0, -1.0, 0.0)),
}
GEAR: tuple[Colour, ...] = (
    (0.02, 0.04, 0.16), (0.20, 0.015, 0.02), (0.015, 0.09, 0.035), (0.05, 0.05, 0.055), (0.30, 0.29, 0.27), (0.12, 0.02, 0.12),
    (0.02, 0.16, 0.20), (0.30, 0.16, 0.03), (0.10, 0.05, 0.025), (0.30, 0.05, 0.12),
)  # fmt: skip


def random_look(seed: int, tack: bool = True) -> Look:
    """A horse drawn from ``seed``: coat, markings and build are the identity; tack is drawn apart by ``dressed``."""
    rng = np.random.default_rng([seed, 11])
    coats = list(BASES)
    coat = coats[int(rng.integers(len(coats)))]
    body, points, mane, muzzle, tone = BASES[coat]
    shift = rng.normal(0, 0.16, 3) * np.array([0.6, 0.5, 0.5]) + rng.normal(0, 0.14)
    body = _scaled(body, np.exp(shift))
    points, mane = _scaled(points, np.exp(shift * 0.5)), _scaled(mane, np.exp(rng.normal(0, 0.2) + shift * 0.3))
    socks = [0.0, 0.0, 0.0, 0.0]
    for leg in range(4):
        if rng.random() < 0.38:
            socks[leg] = float(rng.choice([0.12, 0.2, 0.3, 0.45, 0.58]) * rng.uniform(0.85, 1.15))
    face = (NEVER, 0.0, 1.0, 0.0)
    draw = rng.random()
    if draw < 0.25:
        face = (float(rng.uniform(0.015, 0.07)), 0.0, float(rng.uniform(0.6, 1.0)), float(rng.uniform(0.0, 0.12)))
    elif draw < 0.5:
        face = (NEVER, float(rng.uniform(0.03, 0.075)), 1.0, 0.0)
    elif draw < 0.6:
        face = (0.02, 0.05, float(rng.uniform(0.5, 0.9)), 0.0)
    pattern = [NEVER, 0.0, 0.0, 0.0]
    if rng.random() < 0.17 and "grey" not in coat and coat != "cremello":
        pattern[0] = float(rng.uniform(0.42, 0.68))
        socks = [max(s, 0.4) for s in socks]
    if coat in ("grey", "steel grey"):
        pattern[2] = float(rng.uniform(0.1, 0.5))
    if coat == "white grey" and rng.random() < 0.4:
        pattern[3] = 0.12
    if coat == "roan":
        pattern[3] = 0.3
    size = rng.choice([0.66, 0.78, 0.86, 0.9, 0.92, 0.96, 1.0])
    build = size * np.array([rng.normal(1.0, 0.07), rng.normal(1.0, 0.025), rng.normal(1.0, 0.035)])
    look = Look(
        name=f"horse-{seed}", coat=coat, body=body, points=points, mane=mane, muzzle=muzzle,
        hoof=(0.10, 0.085, 0.07) if rng.random() < 0.6 else (0.25, 0.20, 0.14),
        socks=(socks[0], socks[1], socks[2], socks[3]), face=face, pattern=(pattern[0], pattern[1], pattern[2], pattern[3]),
        tone=tone, offset=_triple(rng.uniform(0, 1, 3)), build=build,
    )  # fmt: skip
    return dressed(look, rng) if tack else look


def dressed(look: Look, rng: np.random.Generator, ridden: bool = False) -> Look:
    """The same horse with tack drawn at random."""

    def colour() -> Colour:
        return _scaled(GEAR[int(rng.integers(len(GEAR)))], np.full(3, rng.uniform(0.7, 1.3)))

    return replace(
        look,
        halter=colour() if rng.random() < (0.9 if ridden else 0.45) else None,
        rug=colour() if not ridden and rng.random() < 0.16 else None,
        rug_trim=colour(),
        rug_style=int(rng.integers(2)),
        saddle=colour() if ridden else None,
        boots=colour() if rng.random() < (0.4 if ridden else 0.08) else None,
    )


def _scaled(colour: Colour, factors: Floats) -> Colour:
    return _triple(np.clip(np.array(colour) * factors, 0.004, 0.75))


def _triple(values: Floats) -> Colour:
    return (float(values[0]), float(values[1]), float(values[2]))

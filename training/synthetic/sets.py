"""The places: a stall, a paddock, an arena and an aisle, each drawn at random from its generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.synthetic.geometry import Props
from training.synthetic.rig import Floats

SETS = ("stall", "paddock", "arena", "aisle")


def rgb(r: float, g: float, b: float) -> Floats:
    """A linear colour."""
    return np.array([r, g, b])


@dataclass(frozen=True)
class Place:
    """What a set gives.

    Its props, the floor where horses may stand (half sizes in x and z about the origin) and whether it has a roof.
    """

    kind: str
    props: Props
    floor: tuple[float, float]
    indoors: bool


def build(kind: str, rng: np.random.Generator, sky: Floats, blades: int = 2500) -> Place:
    """A place of ``kind``; ``sky`` is the tint of the sky's picture.

    Raises:
        ValueError: no such kind.
    """
    makers = {"stall": stall, "paddock": paddock, "arena": arena, "aisle": aisle}
    if kind not in makers:
        raise ValueError(f"no set called {kind!r}: choose one of {', '.join(SETS)}")
    return makers[kind](rng, sky, blades)


def bars(
    props: Props, start: Floats, end: Floats, low: float, high: float, gap: float, colour: Floats, radius: float = 0.011
) -> None:
    """Upright round bars between two floor points, with a rail above and below."""
    length = float(np.linalg.norm(end - start))
    count = max(int(length / gap), 1)
    for k in range(count + 1):
        at = start + (end - start) * k / count
        props.tube("plain", at + [0, low, 0], at + [0, high, 0], radius, colour, sides=6, gloss=0.25, capped=False)
    for height in (low, high):
        props.tube("plain", start + [0, height, 0], end + [0, height, 0], radius * 2.2, colour, sides=6, gloss=0.2)


def stall(rng: np.random.Generator, sky: Floats, blades: int) -> Place:
    """A box of 3.4 to 4.4 m: bedding, plank or plastered walls, a grille, a bucket, hay in the corner."""
    half_x, half_z = rng.uniform(1.75, 2.2), rng.uniform(1.75, 2.2)
    props = Props()
    warm = rng.uniform(0.7, 1.1) * np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.78, 1.0)])
    bedding = "straw" if rng.random() < 0.75 else "rubber"
    props.ground(bedding, np.array([-half_x, -half_z]), np.array([half_x, half_z]), 24, 0.025, 0.9, warm, rng)
    if bedding == "straw":
        props.blades(
            np.zeros(3), np.array([half_x, half_z]), blades, (0.08, 0.30), 0.0035, 1.0, rgb(0.52, 0.38, 0.17) * warm, rng, 0.5
        )
        for _ in range(6):
            edge = rng.uniform(-1, 1) * half_x
            props.blades(
                np.array([edge, 0.04, -half_z + 0.15]),
                np.array([0.7, 0.2]),
                blades // 12,
                (0.08, 0.28),
                0.0035,
                0.75,
                rgb(0.50, 0.36, 0.16) * warm,
                rng,
                0.5,
            )
    lower = str(rng.choice(["wood", "wood", "plaster", "brick"]))
    upper = str(rng.choice(["wood", "plaster", "plaster", "brick"]))
    tone = rng.uniform(0.45, 1.0) * np.array([1.0, rng.uniform(0.92, 1.0), rng.uniform(0.82, 1.0)])
    height, board = rng.uniform(2.7, 3.3), rng.uniform(1.2, 1.5)
    walls = [
        (np.array([-half_x, 0, -half_z]), np.array([2 * half_x, 0, 0])),
        (np.array([half_x, 0, -half_z]), np.array([0, 0, 2 * half_z])),
        (np.array([half_x, 0, half_z]), np.array([-2 * half_x, 0, 0])),
        (np.array([-half_x, 0, half_z]), np.array([0, 0, -2 * half_z])),
    ]
    grille = int(rng.integers(4))
    for k, (corner, along) in enumerate(walls):
        props.quad(lower, corner, along, np.array([0, board, 0]), 1.2, tone, 0.04, casts=False, steps=4)
        props.box("wood", corner + along / 2 + [0, board, 0], np.abs(along) / 2 + [0.04, 0.04, 0.04], tone * 0.6, casts=False)
        if k == grille:
            steel = np.full(3, rng.uniform(0.05, 0.3))
            bars(props, corner, corner + along, board, min(board + 0.95, height), 0.09, steel)
            props.quad(
                "plaster",
                corner + [0, board + 0.95, 0],
                along,
                np.array([0, height - board - 0.95, 0]),
                1.5,
                tone * 0.5,
                casts=False,
            )
            props.quad(
                "plaster",
                corner * 2.2 + [0, 0, 0],
                along * 2.2,
                np.array([0, height, 0]),
                1.5,
                tone * rng.uniform(0.15, 0.5),
                casts=False,
            )
        else:
            props.quad(
                upper,
                corner + [0, board, 0],
                along,
                np.array([0, height - board, 0]),
                1.5,
                tone * rng.uniform(0.8, 1.0),
                casts=False,
                steps=4,
            )
    window = (grille + 2) % 4
    corner, along = walls[window]
    if rng.random() < 0.6:
        at = corner + along * rng.uniform(0.3, 0.5) + [0, board + 0.35, 0]
        inward = -np.sign(at) * np.array([1, 0, 1]) * 0.02
        props.quad("sky", at + inward * (np.abs(along) < 0.1), along * 0.22, np.array([0, 0.55, 0]), 0, sky * 1.2, casts=False)
    bucket = np.array([half_x - 0.3, 0.0, rng.choice([-1, 1]) * (half_z - 0.3)])
    colour = rgb(*rng.choice(np.array([[0.02, 0.05, 0.2], [0.02, 0.02, 0.02], [0.2, 0.02, 0.02], [0.02, 0.1, 0.04]])))
    props.tube("plain", bucket + [0, 0.42, 0], bucket + [0, 0.75, 0], 0.14, colour, 0.17, sides=12, gloss=0.3)
    if rng.random() < 0.7:
        hay = np.array([-half_x + 0.45, 0.06, rng.uniform(-1, 1) * (half_z - 0.5)])
        props.blades(hay, np.array([0.4, 0.35]), 500, (0.1, 0.32), 0.003, 0.7, rgb(0.28, 0.27, 0.11), rng, 0.5)
    if rng.random() < 0.8:
        props.quad(
            "wood",
            np.array([-half_x, height, half_z]),
            np.array([2 * half_x, 0, 0]),
            np.array([0, 0, -2 * half_z]),
            1.5,
            tone * 0.4,
            casts=False,
        )
    return Place("stall", props, (half_x - 0.9, half_z - 0.9), True)


def _horizon(props: Props, rng: np.random.Generator, sky: Floats, green: Floats, trees: int = 26) -> None:
    for k in range(4):
        a = k * np.pi / 2
        c, s = np.cos(a), np.sin(a)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        props.quad(
            "sky",
            turn @ np.array([-150.0, -8, -150]),
            turn @ np.array([300.0, 0, 0]),
            np.array([0, 110.0, 0]),
            0,
            sky,
            casts=False,
        )
    props.quad(
        "sky", np.array([-150.0, 100, -150]), np.array([300.0, 0, 0]), np.array([0, 0, 300.0]), 0, sky * 0.8, casts=False
    )
    for _ in range(14):
        a, d = rng.uniform(0, 2 * np.pi), rng.uniform(90, 130)
        at = np.array([np.cos(a) * d, rng.uniform(-3, 0), np.sin(a) * d])
        props.box(
            "grass",
            at,
            np.array([rng.uniform(20, 45), rng.uniform(3, 9), 4]),
            green * rng.uniform(0.5, 0.9),
            turn=np.pi / 2 - a,
            size=9,
            casts=False,
        )
    for _ in range(trees):
        a, d = rng.uniform(0, 2 * np.pi), rng.uniform(22, 70)
        h = rng.uniform(6, 13)
        at = np.array([np.cos(a) * d, -0.1, np.sin(a) * d])
        side = np.array([-np.sin(a), 0, np.cos(a)]) * h * rng.uniform(0.35, 0.5)
        kind = "conifer" if rng.random() < 0.3 else "tree"
        props.quad(
            kind,
            at - side,
            2 * side,
            np.array([0, h, 0]),
            0,
            np.full(3, rng.uniform(0.5, 1.1)) * green / green.max(),
            casts=False,
        )


def fence(props: Props, corners: list[Floats], colour: Floats, rails: int, wooden: bool) -> None:
    """Posts every 2.5 m along a closed line of floor points, with rails or wires."""
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        length = float(np.linalg.norm(end - start))
        posts = max(int(length / 2.5), 1)
        direction = (end - start) / length
        heading = float(np.arctan2(direction[0], direction[2]))
        for k in range(posts):
            at = start + (end - start) * k / posts
            props.box("wood", at + [0, 0.66, 0], np.array([0.055, 0.68, 0.055]), colour, turn=heading)
        for r in range(rails):
            height = 0.45 + r * 0.8 / max(rails - 1, 1)
            if wooden:
                props.box(
                    "wood",
                    (start + end) / 2 + [0, height, 0],
                    np.array([0.02, 0.06, length / 2]),
                    colour,
                    turn=heading,
                    size=2.0,
                )
            else:
                props.tube("plain", start + [0, height, 0], end + [0, height, 0], 0.008, np.full(3, 0.75), sides=5)


def paddock(rng: np.random.Generator, sky: Floats, blades: int) -> Place:
    """Grass or a trodden field, a fence, trees, sky."""
    props = Props()
    green = rgb(0.8, 1.0, 0.7) * rng.uniform(0.6, 1.0) * np.array([rng.uniform(0.8, 1.35), 1.0, rng.uniform(0.7, 1.1)])
    worn = rng.random() < 0.25
    props.ground("grass", np.array([-75.0, -75]), np.array([75.0, 75]), 40, 0.05, 3.2, green, rng, -0.16 if worn else 0.0)
    half_x, half_z = rng.uniform(7, 16), rng.uniform(7, 16)
    if worn:
        props.ground(
            "sand",
            np.array([-half_x, -half_z]),
            np.array([half_x, half_z]),
            30,
            0.02,
            2.6,
            rgb(0.55, 0.5, 0.42) * rng.uniform(0.5, 1),
            rng,
        )
    else:
        props.blades(
            np.zeros(3),
            np.array([half_x * 0.6, half_z * 0.6]),
            blades * 2,
            (0.05, 0.16),
            0.006,
            0.25,
            rgb(0.10, 0.15, 0.035) * green,
            rng,
            0.5,
        )
    white = rng.random() < 0.4
    colour = np.full(3, rng.uniform(1.2, 1.6)) if white else rng.uniform(0.5, 1.0) * rgb(0.9, 0.85, 0.8)
    corners = [
        np.array([-half_x, 0, -half_z]),
        np.array([half_x, 0, -half_z]),
        np.array([half_x, 0, half_z]),
        np.array([-half_x, 0, half_z]),
    ]
    fence(props, corners, colour, int(rng.integers(2, 4)), rng.random() < 0.7)
    if rng.random() < 0.4:
        at = np.array([rng.choice([-1, 1]) * (half_x + 5), 1.6, rng.uniform(-half_z, half_z)])
        props.box("wood", at, np.array([2.5, 1.6, 3.5]), np.full(3, rng.uniform(0.3, 0.8)), size=1.6)
        props.box("plain", at + [0, 1.8, 0], np.array([2.9, 0.12, 3.9]), rgb(0.12, 0.08, 0.07))
    _horizon(props, rng, sky, green)
    return Place("paddock", props, (half_x * 0.55, half_z * 0.55), False)


def arena(rng: np.random.Generator, sky: Floats, blades: int) -> Place:
    """Sand with kickboards: outdoors under the sky or indoors under a roof."""
    props = Props()
    half_x, half_z = rng.uniform(9, 11), rng.uniform(13, 20)
    sand = rng.uniform(0.55, 1.0) * np.array([1.0, rng.uniform(0.92, 1.0), rng.uniform(0.8, 1.0)])
    props.ground("sand", np.array([-half_x, -half_z]), np.array([half_x, half_z]), 40, 0.012, 2.4, sand, rng)
    indoors = rng.random() < 0.5
    boards = np.full(3, rng.uniform(0.5, 1.2)) * np.array([1.0, 0.95, 0.88])
    sides = [
        (np.array([-half_x, 0, -half_z]), np.array([2 * half_x, 0, 0])),
        (np.array([half_x, 0, -half_z]), np.array([0, 0, 2 * half_z])),
        (np.array([half_x, 0, half_z]), np.array([-2 * half_x, 0, 0])),
        (np.array([-half_x, 0, half_z]), np.array([0, 0, -2 * half_z])),
    ]
    if indoors:
        upper, height = str(rng.choice(["plaster", "brick", "wood"])), 5.0
        for corner, along in sides:
            props.quad("wood", corner, along, np.array([0, 1.6, 0]), 2.0, boards * 0.8, casts=False, steps=8)
            props.quad(
                upper, corner + [0, 1.6, 0], along, np.array([0, height - 1.6, 0]), 2.5, np.full(3, 0.7), casts=False, steps=8
            )
            for k in range(6):
                inward = -np.cross(along / np.linalg.norm(along), [0, 1.0, 0]) * -0.03
                at = corner + along * (k + 0.25) / 6 + [0, 2.8, 0] + inward
                props.quad("sky", at, along / 12, np.array([0, 1.2, 0]), 0, sky * 1.4, casts=False)
        props.quad(
            "wood",
            np.array([-half_x, height, half_z]),
            np.array([2 * half_x, 0, 0]),
            np.array([0, 0, -2 * half_z]),
            2.5,
            np.full(3, 0.5),
            casts=False,
        )
        for z in np.linspace(-half_z, half_z, 7):
            props.box("wood", np.array([0, height - 0.2, z]), np.array([half_x, 0.16, 0.1]), np.full(3, 0.45), casts=False)
    else:
        props.ground("grass", np.array([-75.0, -75]), np.array([75.0, 75]), 20, 0.05, 3.2, rgb(0.7, 0.9, 0.6), rng, -0.16)
        corners = [c for c, _ in sides]
        fence(props, corners, np.full(3, rng.uniform(0.7, 1.5)), 2, True)
        for corner, along in sides:
            if rng.random() < 0.7:
                props.quad("wood", corner, along, np.array([0, 0.4, 0]), 1.5, boards)
        props.blades(
            np.array([0.0, -0.1, half_z + 1.2]),
            np.array([half_x, 1.0]),
            blades // 3,
            (0.1, 0.3),
            0.006,
            0.3,
            rgb(0.1, 0.15, 0.04),
            rng,
        )
        _horizon(props, rng, sky, rgb(0.8, 1.0, 0.7), 30)
    for _ in range(int(rng.integers(0, 4))):
        at = np.array([rng.uniform(-0.8, 0.8) * half_x, 0.5, rng.uniform(-0.8, 0.8) * half_z])
        paint = rgb(*rng.uniform(0.05, 0.6, 3))
        if abs(at[0]) > 4 or abs(at[2]) > 5:
            for k in range(3):
                props.tube(
                    "plain",
                    at + [-1.6, -0.2 + 0.25 * k, 0],
                    at + [1.6, -0.2 + 0.25 * k, 0],
                    0.05,
                    paint if k % 2 else np.full(3, 0.7),
                )
            for side in (-1.7, 1.7):
                props.box("wood", at + [side, 0.1, 0], np.array([0.06, 0.6, 0.3]), np.full(3, 1.1))
    return Place("arena", props, (half_x * 0.5, half_z * 0.45), indoors)


def aisle(rng: np.random.Generator, sky: Floats, blades: int) -> Place:
    """A stable aisle: concrete or rubber floor, stall fronts on both sides, beams, strip lights, a bright door at the end."""
    props = Props()
    half, length = rng.uniform(1.5, 2.1), rng.uniform(7, 11)
    floor = str(rng.choice(["concrete", "concrete", "rubber", "brick"]))
    tone = np.full(3, rng.uniform(0.6, 1.1))
    props.ground(floor, np.array([-half, -length]), np.array([half, length]), 30, 0.004, 1.6, tone, rng)
    wood = rng.uniform(0.5, 1.1) * np.array([1.0, rng.uniform(0.85, 1.0), rng.uniform(0.7, 1.0)])
    steel = np.full(3, rng.uniform(0.02, 0.25))
    for side in (-1.0, 1.0):
        x = side * half
        along = np.array([0, 0, 2 * length * side])
        corner = np.array([x, 0, -length * side])
        props.quad("wood", corner, along, np.array([0, 1.3, 0]), 1.3, wood, 0.05, casts=False, steps=10)
        bars(props, np.array([x, 0, -length]), np.array([x, 0, length]), 1.32, 2.15, 0.14, steel)
        inside = np.full(3, rng.uniform(0.04, 0.14))
        props.quad("plaster", corner + [0.5 * side, 1.0, 0], along, np.array([0, 1.3, 0]), 1.5, inside, casts=False)
        props.quad("plaster", corner + [0, 2.15, 0], along, np.array([0, 0.9, 0]), 1.5, wood * 0.8, casts=False)
        for z in np.arange(-length + 1, length, 3.2):
            props.box("wood", np.array([x - 0.04 * side, 1.1, z]), np.array([0.06, 1.1, 0.08]), wood * 0.6, casts=False)
            props.box(
                "wood",
                np.array([x - 0.05 * side, 0.65, z + 1.0]),
                np.array([0.03, 0.62, 0.6]),
                wood * rng.uniform(0.7, 1.0),
                casts=False,
            )
            if rng.random() < 0.6:
                at = np.array([x - 0.12 * side, rng.uniform(0.9, 1.2), z + rng.uniform(1.8, 2.4)])
                props.tube("plain", at, at - [0, 0.28, 0], 0.13, rgb(*rng.uniform(0.02, 0.25, 3)), 0.1, sides=10)
    for end in (-1.0, 1.0):
        props.quad(
            "plaster",
            np.array([-half * end, 0, end * length]),
            np.array([2 * half * end, 0, 0]),
            np.array([0, 3.05, 0]),
            1.5,
            np.full(3, 0.45),
            casts=False,
        )
        if rng.random() < 0.7:
            props.quad(
                "sky",
                np.array([-0.6 * half * end, 0.02, end * (length - 0.02)]),
                np.array([1.2 * half * end, 0, 0]),
                np.array([0, 2.4, 0]),
                0,
                sky,
                casts=False,
            )
    props.quad(
        "wood",
        np.array([-half, 3.05, length]),
        np.array([2 * half, 0, 0]),
        np.array([0, 0, -2 * length]),
        2.0,
        wood * 0.5,
        casts=False,
    )
    for z in np.arange(-length + 1.5, length, 3.0):
        props.box("wood", np.array([0, 2.95, z]), np.array([half, 0.09, 0.07]), wood * 0.4, casts=False)
        props.box("sky", np.array([0, 2.86, z + 1.5]), np.array([0.05, 0.03, 0.55]), np.full(3, 1.3) * sky.max(), casts=False)
    if floor != "rubber":
        props.blades(
            np.zeros(3), np.array([half, length]), blades // 8, (0.05, 0.2), 0.003, 1.0, rgb(0.5, 0.38, 0.18), rng, 0.5
        )
    return Place("aisle", props, (half - 0.75, length * 0.6), True)

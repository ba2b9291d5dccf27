"""The four sets of the demo footage: built once, with more care than the random ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from training.synthetic.geometry import Props
from training.synthetic.rig import Floats
from training.synthetic.sets import bars, fence, rgb


def stall_at_night() -> Props:
    """A box of 4 m seen by its own camera: deep straw, planks, a grille to the aisle, a bucket and hay."""
    rng = np.random.default_rng(21)
    props, half = Props(), 2.0
    tone = rgb(0.62, 0.58, 0.52)
    props.ground("straw", np.array([-half, -half]), np.array([half, half]), 40, 0.03, 0.8, np.full(3, 0.92), rng)
    props.blades(
        np.array([0.0, 0.01, 0.0]), np.array([half, half]), 9000, (0.08, 0.30), 0.003, 1.0, rgb(0.55, 0.42, 0.2), rng, 0.55
    )
    for k in range(28):
        along = -half + 2 * half * k / 27
        for at, spread in (((along, 0.05, -half + 0.16), (0.2, 0.16)), ((half - 0.16, 0.05, along), (0.16, 0.2))):
            props.blades(np.array(at), np.array(spread), 130, (0.08, 0.3), 0.003, 0.78, rgb(0.55, 0.42, 0.2), rng, 0.5)
    board = 1.35
    for corner, toward, grille in (
        ((-half, -half), (1, 0), False),
        ((half, -half), (0, 1), True),
        ((half, half), (-1, 0), False),
        ((-half, half), (0, -1), False),
    ):
        start, way = np.array([corner[0], 0, corner[1]]), np.array([toward[0], 0, toward[1]]) * 2 * half
        props.quad("wood", start, way, np.array([0, board, 0]), 1.1, tone, 0.03, casts=False, steps=6)
        props.box("wood", start + way / 2 + [0, board, 0], np.abs(way) / 2 + [0.05, 0.045, 0.05], tone * 0.7, casts=False)
        if grille:
            bars(props, start, start + way, board, 2.35, 0.10, np.full(3, 0.22), 0.010)
            behind = start * 1.9
            props.quad("wood", behind, way * 1.9, np.array([0, 3.0, 0]), 1.6, tone * 0.35, casts=False)
        else:
            props.quad(
                "plaster",
                start + [0, board, 0],
                way,
                np.array([0, 3.0 - board, 0]),
                1.8,
                np.full(3, 0.55),
                casts=False,
                steps=6,
            )
    props.quad(
        "wood",
        np.array([-half, 3.0, half]),
        np.array([2 * half, 0, 0]),
        np.array([0, 0, -2 * half]),
        1.6,
        tone * 0.5,
        casts=False,
    )
    props.tube(
        "plain",
        np.array([1.7, 0.45, 1.2]),
        np.array([1.7, 0.80, 1.2]),
        0.15,
        np.full(3, 0.08),
        0.18,
        sides=18,
        gloss=0.3,
        capped=False,
    )
    props.tube("plain", np.array([1.7, 0.79, 1.2]), np.array([1.7, 0.81, 1.2]), 0.185, np.full(3, 0.2), sides=18, capped=False)
    props.blades(
        np.array([1.55, 0.08, -1.5]), np.array([0.35, 0.35]), 900, (0.1, 0.32), 0.0028, 0.7, rgb(0.36, 0.34, 0.16), rng, 0.5
    )
    props.box("plain", np.array([0.6, 1.0, -half + 0.07]), np.array([0.13, 0.08, 0.06]), rgb(0.5, 0.3, 0.3), casts=False)
    return props


def trees(props: Props, rng: np.random.Generator, count: int, near: float, far: float, centre: float, spread: float) -> None:
    """Trees on an arc around the direction ``centre`` (radians)."""
    for _ in range(count):
        a, d = centre + rng.uniform(-spread, spread), rng.uniform(near, far)
        height = rng.uniform(7, 13)
        at = np.array([np.cos(a) * d, -0.15, np.sin(a) * d])
        side = np.array([-np.sin(a), 0, np.cos(a)]) * height * rng.uniform(0.42, 0.55)
        props.quad(
            "conifer" if rng.random() < 0.2 else "tree",
            at - side,
            2 * side,
            np.array([0, height, 0]),
            0,
            rgb(0.9, 1.0, 0.8) * rng.uniform(0.7, 1.05),
            casts=False,
        )


def backdrop(props: Props, sky: Floats) -> None:
    """Sky behind everything in the direction -z, and a line of far hills."""
    props.quad("sky", np.array([-170.0, -6, -150]), np.array([340.0, 0, 0]), np.array([0, 90.0, 0]), 0, sky, casts=False)
    rng = np.random.default_rng(4)
    x = np.linspace(-150, 150, 61)
    for depth, top, shade in ((-140.0, 9.0, 0.55), (-118.0, 6.0, 0.8)):
        height = top + np.convolve(rng.normal(0, 2.2, 61), np.hanning(11) / 5.5, mode="same")
        for k in range(60):
            corner = np.array(
                [
                    [x[k], -2, depth],
                    [x[k + 1], -2, depth],
                    [x[k + 1], height[k + 1], depth],
                    [x[k], -2, depth],
                    [x[k + 1], height[k + 1], depth],
                    [x[k], height[k], depth],
                ]
            )
            props.add("grass", corner, np.array([0, 0.7, 0.7]), corner[:, :2] / 12, rgb(0.55, 0.75, 0.5) * shade, casts=False)


def summer_paddock() -> Props:
    """Meadow, post-and-rail fence, trees, a field shelter."""
    rng = np.random.default_rng(33)
    props = Props()
    green = rgb(0.78, 0.95, 0.62)
    props.ground("grass", np.array([-75.0, -130]), np.array([75.0, 30]), 60, 0.03, 3.0, green, rng)
    props.blades(
        np.array([0.0, -0.01, 0.5]), np.array([9.0, 8.0]), 26000, (0.04, 0.13), 0.0065, 0.22, rgb(0.115, 0.165, 0.04), rng, 0.5
    )
    props.blades(
        np.array([0.0, -0.01, 5.0]), np.array([6.0, 3.0]), 9000, (0.05, 0.15), 0.006, 0.2, rgb(0.13, 0.17, 0.045), rng, 0.5
    )
    corners = [np.array([-17.0, 0, -11]), np.array([17.0, 0, -11]), np.array([17.0, 0, 13]), np.array([-17.0, 0, 13])]
    fence(props, corners, rgb(0.95, 0.9, 0.82), 3, True)
    props.box("wood", np.array([11.0, 1.5, -17.0]), np.array([3.2, 1.5, 1.8]), rgb(0.62, 0.52, 0.42), size=1.6)
    props.box("plain", np.array([11.0, 3.12, -17.0]), np.array([3.6, 0.12, 2.3]), rgb(0.20, 0.09, 0.06))
    props.box("plain", np.array([11.4, 1.05, -15.18]), np.array([1.3, 1.05, 0.02]), np.full(3, 0.02), casts=False)
    trees(props, rng, 34, 34, 75, -np.pi / 2, 0.85)
    backdrop(props, np.full(3, 0.95))
    return props


def outdoor_arena() -> Props:
    """A sand arena with a white rail, letters' blocks, hedge and trees."""
    rng = np.random.default_rng(8)
    props = Props()
    props.ground("grass", np.array([-75.0, -130]), np.array([75.0, 40]), 20, 0.02, 3.0, rgb(0.72, 0.9, 0.6), rng, -0.12)
    props.ground("sand", np.array([-14.0, -9.5]), np.array([14.0, 16]), 60, 0.012, 2.6, rgb(0.92, 0.86, 0.76), rng)
    angle = np.linspace(0, 2 * np.pi, 97)
    for inner, outer, shade in ((4.8, 5.6, 0.88),):
        for a, b in pairwise(angle):
            ring = [
                np.array([np.cos(t) * r, 0.006, np.sin(t) * r]) for t, r in ((a, inner), (b, inner), (b, outer), (a, outer))
            ]
            q = np.array([ring[0], ring[1], ring[2], ring[0], ring[2], ring[3]])
            props.add("sand", q, np.array([0, 1.0, 0]), q[:, [2, 0]] / 1.7, rgb(0.92, 0.86, 0.76) * shade, casts=False)
    corners = [np.array([-14.0, 0, -9.5]), np.array([14.0, 0, -9.5]), np.array([14.0, 0, 16.0]), np.array([-14.0, 0, 16.0])]
    fence(props, corners, np.full(3, 1.35), 2, True)
    for corner, along in (
        (corners[0], np.array([28.0, 0, 0])),
        (corners[0], np.array([0, 0, 25.5])),
        (corners[1], np.array([0, 0, 25.5])),
    ):
        props.quad("wood", corner, along, np.array([0, 0.32, 0]), 1.5, rgb(0.7, 0.62, 0.52))
    for x, colour in ((-7.0, rgb(0.5, 0.06, 0.05)), (7.0, rgb(0.05, 0.12, 0.42))):
        for k in range(3):
            height = 0.25 + 0.28 * k
            props.tube(
                "plain",
                np.array([x - 1.5, height, -7.2]),
                np.array([x + 1.5, height, -7.2]),
                0.05,
                colour if k % 2 == 0 else np.full(3, 0.8),
            )
        for side in (-1.6, 1.6):
            props.box("plain", np.array([x + side, 0.55, -7.2]), np.array([0.05, 0.55, 0.25]), np.full(3, 0.8))
    for k in range(30):
        x = -29 + 2 * k
        props.box(
            "grass", np.array([x, 0.7, -13.5]), np.array([1.05, rng.uniform(0.75, 0.95), 0.6]), rgb(0.45, 0.62, 0.36), size=2.2
        )
    trees(props, rng, 30, 26, 70, -np.pi / 2, 0.9)
    backdrop(props, np.full(3, 0.97))
    return props


def evening_aisle() -> Props:
    """A stable aisle with brick floor, stall fronts, beams and warm lights."""
    rng = np.random.default_rng(12)
    props = Props()
    half, length = 1.75, 10.0
    props.ground("brick", np.array([-half, -length]), np.array([half, length]), 20, 0.004, 1.5, rgb(0.42, 0.56, 0.60), rng)
    wood = rgb(0.85, 0.70, 0.55)
    steel = np.full(3, 0.06)
    for side in (-1.0, 1.0):
        x = side * half
        corner, along = np.array([x, 0, -length * side]), np.array([0, 0, 2 * length * side])
        props.quad("wood", corner, along, np.array([0, 1.3, 0]), 1.3, wood, 0.06, casts=False, steps=16)
        bars(props, np.array([x, 0, -length]), np.array([x, 0, length]), 1.32, 2.2, 0.12, steel, 0.010)
        props.quad(
            "plaster", corner + [0.9 * side, 0.9, 0], along, np.array([0, 1.5, 0]), 1.5, np.full(3, 0.16), casts=False, steps=16
        )
        props.quad(
            "plaster", corner + [0, 2.2, 0], along, np.array([0, 1.0, 0]), 1.5, rgb(0.8, 0.74, 0.64), casts=False, steps=16
        )
        for z in np.arange(-length + 1, length, 3.4):
            props.box("wood", np.array([x - 0.05 * side, 1.12, z]), np.array([0.07, 1.12, 0.09]), wood * 0.6, casts=False)
            for dz in (0.9, 2.1):
                props.box(
                    "wood", np.array([x - 0.04 * side, 1.08, z + dz]), np.array([0.035, 1.08, 0.045]), wood * 0.7, casts=False
                )
            props.box(
                "wood", np.array([x - 0.035 * side, 0.66, z + 1.5]), np.array([0.02, 0.60, 0.56]), wood * 0.85, casts=False
            )
            at = np.array([x - 0.14 * side, 1.02, z + 2.7])
            colour = (rgb(0.02, 0.05, 0.2), rgb(0.2, 0.02, 0.02), rgb(0.03, 0.12, 0.05))[int(rng.integers(3))]
            props.tube("plain", at, at - [0, 0.28, 0], 0.15, colour, 0.12, sides=14, gloss=0.25)
            props.tube(
                "plain",
                np.array([x - 0.06 * side, 1.25, z + 0.4]),
                np.array([x - 0.10 * side, 0.7, z + 0.42]),
                0.018,
                colour * 1.6,
                sides=6,
            )
    props.quad(
        "plaster",
        np.array([-half, 0, -length]),
        np.array([2 * half, 0, 0]),
        np.array([0, 3.2, 0]),
        1.5,
        np.full(3, 0.5),
        casts=False,
    )
    props.quad(
        "plain",
        np.array([-1.1, 0.01, -length + 0.02]),
        np.array([2.2, 0, 0]),
        np.array([0, 2.5, 0]),
        0,
        rgb(0.012, 0.014, 0.022),
        casts=False,
    )
    props.quad(
        "wood",
        np.array([-half, 3.2, length]),
        np.array([2 * half, 0, 0]),
        np.array([0, 0, -2 * length]),
        2.0,
        wood * 0.5,
        casts=False,
        steps=10,
    )
    for z in np.arange(-length + 1.0, length, 2.6):
        props.box("wood", np.array([0, 3.05, z]), np.array([half, 0.10, 0.08]), wood * 0.5, casts=False)
    for z in (-6.2, -3.2, -0.2):
        props.tube("plain", np.array([0, 3.1, z]), np.array([0, 2.82, z]), 0.015, steel, sides=5)
        props.box("sky", np.array([0, 2.78, z]), np.array([0.10, 0.035, 0.10]), rgb(2.2, 1.8, 1.2), casts=False)
    props.blades(
        np.array([0.0, 0.004, 0.0]), np.array([half, length]), 420, (0.05, 0.2), 0.003, 1.0, rgb(0.5, 0.38, 0.18), rng, 0.5
    )
    props.tube("plain", np.array([-1.35, 0.0, -2.3]), np.array([-1.35, 1.3, -2.45]), 0.016, rgb(0.3, 0.18, 0.08), sides=6)
    props.box("plain", np.array([1.3, 0.26, -4.6]), np.array([0.3, 0.26, 0.25]), rgb(0.04, 0.09, 0.05))
    return props

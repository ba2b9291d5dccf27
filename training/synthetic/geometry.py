"""Triangles of everything that is not a horse: boxes, tubes, ground, blades of straw and grass, people."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.synthetic.rig import Floats

BOX_FACES = (
    ((1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((-1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((0, 1, 0), (1, 0, 0), (0, 0, 1)),
    ((0, -1, 0), (1, 0, 0), (0, 0, -1)),
    ((0, 0, 1), (-1, 0, 0), (0, 1, 0)),
    ((0, 0, -1), (1, 0, 0), (0, 1, 0)),
)


class Props:
    """Rows of (position 3, normal 3, uv 2, tint 3 + gloss), three a triangle, grouped by (surface, casts a shadow)."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, bool], list[Floats]] = {}

    def arrays(self) -> dict[tuple[str, bool], Floats]:
        """All rows of each group."""
        return {key: np.concatenate(rows) for key, rows in self._rows.items()}

    def joined(self, other: Props) -> Props:
        """Both together, as a new object."""
        out = Props()
        for source in (self, other):
            for key, rows in source._rows.items():
                out._rows.setdefault(key, []).extend(rows)
        return out

    def add(
        self, surface: str, points: Floats, normals: Floats, uv: Floats, tint: Floats, gloss: float = 0.0, casts: bool = True
    ) -> None:
        """Triangles: points (3n, 3), normals (3n, 3) or (3,), uv (3n, 2), tint (3,) or (3n, 3)."""
        n = len(points)
        row: Any = np.zeros((n, 12), np.float32)  # as the device takes them
        row[:, :3], row[:, 3:6], row[:, 6:8], row[:, 8:11], row[:, 11] = points, normals, uv, tint, gloss
        self._rows.setdefault((surface, casts), []).append(row)

    def quad(
        self,
        surface: str,
        corner: Floats,
        along: Floats,
        up: Floats,
        size: float,
        tint: Floats,
        gloss: float = 0.0,
        casts: bool = True,
        steps: int = 1,
    ) -> None:
        """A rectangle from ``corner``; one texture tile every ``size`` metres (0: exactly one tile)."""
        a, b = np.meshgrid(np.linspace(0, 1, steps + 1), np.linspace(0, 1, steps + 1), indexing="ij")
        index = np.arange((steps + 1) ** 2).reshape(steps + 1, steps + 1)
        q = np.stack(
            [index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, :-1], index[1:, 1:], index[:-1, 1:]], -1
        ).ravel()
        s, t = a.ravel()[q], b.ravel()[q]
        points = corner + s[:, None] * along + t[:, None] * up
        lengths = (1.0, 1.0) if size == 0 else (np.linalg.norm(along) / size, np.linalg.norm(up) / size)
        normal = np.cross(along, up)
        uv = np.stack([s * lengths[0], t * lengths[1]], 1)
        self.add(surface, points, normal / np.linalg.norm(normal), uv, tint, gloss, casts)

    def box(
        self,
        surface: str,
        centre: Floats,
        half: Floats,
        tint: Floats,
        turn: float = 0.0,
        size: float = 1.0,
        gloss: float = 0.0,
        casts: bool = True,
    ) -> None:
        """A box turned by ``turn`` radians about the vertical."""
        c, s = np.cos(turn), np.sin(turn)
        rotate = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        for out, along, up in BOX_FACES:
            o, a, u = (np.array(v, float) * half for v in (out, along, up))
            corner = o - a - u
            # Grain runs along the longer side.
            if np.linalg.norm(u) > np.linalg.norm(a) * 1.5 and surface == "wood":
                a, u = u, -a
                corner = o - a - u
            self.quad(surface, centre + rotate @ corner, rotate @ (2 * a), rotate @ (2 * u), size, tint, gloss, casts)

    def tube(
        self,
        surface: str,
        start: Floats,
        end: Floats,
        radius: float,
        tint: Floats,
        end_radius: float | None = None,
        sides: int = 9,
        gloss: float = 0.0,
        casts: bool = True,
        capped: bool = True,
    ) -> None:
        """A (tapered) tube with rounded ends, for bars, posts, limbs."""
        final = radius if end_radius is None else end_radius
        axis = end - start
        length = float(np.linalg.norm(axis))
        axis = axis / max(length, 1e-9)
        side = np.cross(axis, [0.0, 0.0, 1.0] if abs(axis[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        other = np.cross(axis, side)
        rings = [(0.0, radius), (length, final)]
        if capped:
            cap = [(-np.sin(t), np.cos(t)) for t in (1.5, 1.0, 0.5)]
            rings = (
                [(h * radius, r * radius) for h, r in cap] + rings + [(length - h * final, r * final) for h, r in reversed(cap)]
            )
        angle = np.linspace(0, 2 * np.pi, sides + 1)
        normal = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * other
        points = np.stack([start + axis * h + normal * r for h, r in rings])
        first, second = points[:-1], points[1:]
        a, b, c, d = first[:, :-1], first[:, 1:], second[:, 1:], second[:, :-1]
        triangles = np.stack([a, b, c, a, c, d], 2).reshape(-1, 3)
        lay = np.broadcast_to(normal, (len(rings) - 1, sides + 1, 3))
        n0, n1 = lay[:, :-1], lay[:, 1:]
        normals = np.stack([n0, n1, n1, n0, n1, n0], 2).reshape(-1, 3)
        u0, u1 = (
            np.broadcast_to(v, (len(rings) - 1, sides)) for v in (np.arange(sides) / sides, (np.arange(sides) + 1) / sides)
        )
        v0 = np.broadcast_to(np.array([h for h, _ in rings[:-1]])[:, None], u0.shape)
        v1 = np.broadcast_to(np.array([h for h, _ in rings[1:]])[:, None], u0.shape)
        uv = np.stack([np.stack([u0, u1, u1, u0, u1, u0], -1), np.stack([v0, v0, v1, v0, v1, v1], -1)], -1).reshape(-1, 2)
        self.add(surface, triangles, normals, uv, tint, gloss, casts)

    def ground(
        self,
        surface: str,
        low: Floats,
        high: Floats,
        cells: int,
        relief: float,
        tile: float,
        tint: Floats,
        rng: np.random.Generator,
        level: float = 0.0,
    ) -> None:
        """A gently uneven floor from ``low`` (x, z) to ``high`` (x, z)."""
        x, z = np.meshgrid(np.linspace(low[0], high[0], cells + 1), np.linspace(low[1], high[1], cells + 1), indexing="ij")
        height = np.zeros_like(x)
        for wave in (0.7, 1.9, 4.1):
            direction = rng.uniform(0, 2 * np.pi)
            height += np.sin((x * np.cos(direction) + z * np.sin(direction)) * wave + rng.uniform(0, 6)) / wave
        height = (height - height.max()) * relief + level
        points = np.stack([x, height, z], -1)
        slope_x, slope_z = np.gradient(height, x[1, 0] - x[0, 0], z[0, 1] - z[0, 0])
        normals = np.stack([-slope_x, np.ones_like(x), -slope_z], -1)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)

        def spread(grid: Floats) -> Floats:
            a, b, c, d = grid[:-1, :-1], grid[1:, :-1], grid[1:, 1:], grid[:-1, 1:]
            return np.stack([a, c, b, a, d, c], 2).reshape(-1, grid.shape[-1])

        uv = np.stack([x, z], -1) / tile
        self.add(surface, spread(points), spread(normals), spread(uv), tint, casts=False)

    def blades(
        self, centre: Floats, spread: Floats, count: int, length: tuple[float, float], width: float, lying: float, tint: Floats,
        rng: np.random.Generator, variation: float = 0.35,
    ) -> None:  # fmt: skip
        """Thin triangles strewn over the ground: straw (``lying`` near 1) or grass (near 0)."""
        where = rng.uniform(-1, 1, (count, 2)) * spread
        base = np.stack([centre[0] + where[:, 0], np.full(count, centre[1]), centre[2] + where[:, 1]], 1)
        heading = rng.uniform(0, 2 * np.pi, count)
        tilt = np.clip(rng.normal(lying, 0.22, count), 0, 1.02) * np.pi / 2
        size = rng.uniform(*length, count)
        direction = np.stack([np.cos(heading) * np.sin(tilt), np.cos(tilt), np.sin(heading) * np.sin(tilt)], 1)
        side = np.stack([-np.sin(heading), np.zeros(count), np.cos(heading)], 1) * width
        tip = base + direction * size[:, None]
        base = base + np.array([0, 0.012, 0]) * rng.uniform(0, 3 * lying, (count, 1))
        points = np.stack([base - side, base + side, tip + side * 0.5 * lying], 1).reshape(-1, 3)
        normal = np.repeat(np.stack([np.cos(heading) * 0.3, np.full(count, 0.9), np.sin(heading) * 0.3], 1), 3, axis=0)
        shade = np.repeat(tint * rng.uniform(1 - variation, 1 + variation, (count, 1)), 3, axis=0)
        self.add("plain", points, normal, np.full((3 * count, 2), 0.5), shade, 0.02, casts=False)


def person(
    props: Props,
    at: Floats,
    heading: float,
    phase: float,
    clothes: Floats,
    skin: Floats,
    rng_height: float = 1.75,
    seated: bool = False,
) -> None:
    """A plain figure made of tapered limbs: walking (``phase`` 0..1) or seated as a rider, ``at`` the feet or the seat."""
    c, s = np.cos(heading), np.sin(heading)
    rotate = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    k = rng_height / 1.75
    trousers = clothes[::-1] * 0.35 + 0.02

    def place(x: float, y: float, z: float) -> Floats:
        return np.asarray(at + rotate @ (np.array([x, y, z]) * k))

    hip = 0.08 if seated else 0.95
    swing = np.sin(2 * np.pi * phase)
    for side in (-1.0, 1.0):
        if seated:
            knee, foot = place(0.30 * side, hip - 0.22, 0.34), place(0.33 * side, hip - 0.68, 0.16)
        else:
            stride = swing * side
            knee = place(0.1 * side, 0.52, 0.22 * stride + 0.06)
            foot = place(0.1 * side, 0.09 + 0.10 * max(0.0, -stride), 0.36 * stride - 0.04)
        props.tube("plain", place(0.10 * side, hip, 0), knee, 0.085 * k, trousers, 0.06 * k)
        props.tube("plain", knee, foot, 0.06 * k, trousers, 0.045 * k)
        toe = foot + rotate @ np.array([0.0, -0.04, 0.14])
        props.tube("plain", foot, toe, 0.05 * k, np.full(3, 0.03), 0.04 * k)
        shoulder = place(0.19 * side, hip + 0.5, 0)
        reach = 0.28 if seated else -0.2 * swing * side
        elbow, hand = (
            place(0.25 * side, hip + 0.24, 0.06 if seated else reach * 0.5),
            place(0.14 * side if seated else 0.26 * side, hip + 0.12 if seated else hip - 0.02, reach + 0.1),
        )
        props.tube("plain", shoulder, elbow, 0.055 * k, clothes, 0.045 * k)
        props.tube("plain", elbow, hand, 0.045 * k, clothes, 0.035 * k)
    props.tube("plain", place(0, hip, 0), place(0, hip + 0.48, 0.01), 0.15 * k, clothes, 0.18 * k)
    props.tube("plain", place(0, hip + 0.55, 0.01), place(0, hip + 0.66, 0.02), 0.05 * k, skin)
    props.tube("plain", place(0, hip + 0.70, 0.03), place(0, hip + 0.80, 0.03), 0.085 * k, skin, 0.09 * k)
    props.tube(
        "plain",
        place(0, hip + 0.78, 0.02),
        place(0, hip + 0.82, 0.015),
        0.10 * k,
        np.full(3, 0.03) if seated else clothes * 0.3,
        0.085 * k,
    )

"""Surfaces baked with OpenCV: straw, grass, sand, planks, bricks, leaves, sky; and the noise volume of the coats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
SIZE = 512


@dataclass(frozen=True)
class Surface:
    """How a surface is painted, and whether it repeats."""

    paint: Callable[[np.random.Generator], npt.NDArray[np.float32]]
    tiles: bool = True


def noise(
    rng: np.random.Generator, octaves: int = 5, start: int = 4, size: int = SIZE, falloff: float = 0.55
) -> npt.NDArray[np.float32]:
    """Tileable fractal noise (size, size), 0..1; ``start``, a power of two, is the cells of the coarsest octave."""
    out = np.zeros((size, size), np.float32)
    share = 1.0
    for octave in range(octaves):
        cells = start * 2**octave
        if cells > size // 2:
            break
        grid = rng.random((cells, cells)).astype(np.float32)
        wrapped = np.pad(grid, 2, mode="wrap")
        step = size // cells
        big = cv2.resize(wrapped, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
        out += share * big[2 * step : 2 * step + size, 2 * step : 2 * step + size]
        share *= falloff
    out -= out.min()
    return np.asarray(out / out.max(), np.float32)


def noise_volume(size: int = 64) -> Picture:
    """Tileable 3-D fractal noise (size, size, size) with mean near 128, spread over the whole range."""
    rng = np.random.default_rng(7)
    total = np.zeros((size, size, size), np.float32)
    frequency = np.fft.fftfreq(size) * size
    radius = np.sqrt(frequency[:, None, None] ** 2 + frequency[None, :, None] ** 2 + frequency[None, None, :] ** 2)
    spectrum = np.fft.fftn(rng.normal(size=total.shape)) * np.where(radius > 1.5, np.maximum(radius, 1.0) ** -1.9, 0.0)
    total = np.real(np.fft.ifftn(spectrum)).astype(np.float32)
    ranks = np.argsort(np.argsort(total.ravel())).reshape(total.shape) / total.size
    return np.asarray(ranks * 255, np.uint8)


def _strokes(
    canvas: npt.NDArray[np.float32],
    rng: np.random.Generator,
    count: int,
    length: tuple[float, float],
    colours: list[tuple[float, float, float]],
    thickness: tuple[int, int] = (1, 2),
    angle: tuple[float, float] = (0.0, 6.3),
    shade: tuple[float, float] = (0.55, 1.2),
) -> None:
    size = canvas.shape[0]
    for _ in range(count):
        x, y = rng.uniform(0, size, 2)
        a, r = rng.uniform(*angle), rng.uniform(*length)
        colour = np.array(colours[rng.integers(len(colours))]) * rng.uniform(*shade)
        thick = int(rng.integers(thickness[0], thickness[1] + 1))
        for dx in (0, -size if x + r > size else size if x - r < 0 else 0):
            for dy in (0, -size if y + r > size else size if y - r < 0 else 0):
                p = (int(x + dx), int(y + dy))
                q = (int(x + dx + r * np.cos(a)), int(y + dy + r * np.sin(a)))
                cv2.line(canvas, p, q, colour.tolist(), thick, cv2.LINE_AA)


def _tinted(
    grey: npt.NDArray[np.float32], dark: tuple[float, float, float], light: tuple[float, float, float]
) -> npt.NDArray[np.float32]:
    share = grey[..., None]
    return np.asarray(np.array(dark, np.float32) * (1 - share) + np.array(light, np.float32) * share, np.float32)


def _straw(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng), (0.30, 0.22, 0.11), (0.52, 0.40, 0.22))
    _strokes(
        canvas,
        rng,
        5200,
        (12, 60),
        [(0.78, 0.63, 0.36), (0.66, 0.52, 0.28), (0.86, 0.74, 0.48), (0.52, 0.40, 0.22)],
        shade=(0.5, 1.12),
    )
    return canvas


def _grass(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng), (0.16, 0.20, 0.08), (0.33, 0.36, 0.16))
    _strokes(
        canvas,
        rng,
        9000,
        (4, 14),
        [(0.30, 0.40, 0.15), (0.40, 0.46, 0.20), (0.50, 0.50, 0.26), (0.22, 0.32, 0.12)],
        thickness=(1, 1),
        angle=(4.0, 5.4),
    )
    return np.asarray(canvas * (0.8 + 0.4 * noise(rng, 4, 2))[..., None], np.float32)


def _sand(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng, 7, 4, falloff=0.7), (0.46, 0.38, 0.28), (0.70, 0.61, 0.47))
    for _ in range(170):
        x, y, r = rng.uniform(0, SIZE), rng.uniform(0, SIZE), rng.uniform(5, 11)
        for dx in (0, -SIZE, SIZE):
            for dy in (0, -SIZE, SIZE):
                centre = (int(x + dx), int(y + dy))
                cv2.ellipse(
                    canvas, centre, (int(r), int(r * 0.8)), rng.uniform(0, 180), 0, 360, (0.40, 0.33, 0.24), -1, cv2.LINE_AA
                )
                cv2.ellipse(
                    canvas,
                    (centre[0] + 1, centre[1] + 2),
                    (int(r), int(r * 0.8)),
                    0,
                    20,
                    160,
                    (0.74, 0.65, 0.52),
                    2,
                    cv2.LINE_AA,
                )
    soft = cv2.GaussianBlur(np.pad(canvas, ((8, 8), (8, 8), (0, 0)), mode="wrap"), (0, 0), 1.6)[8:-8, 8:-8]
    return np.asarray(soft + rng.normal(0, 0.025, soft.shape), np.float32)


def _wood(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    grain = cv2.resize(noise(rng, 6, 4)[:, : SIZE // 16], (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    canvas = _tinted(np.clip(grain * 0.8 + 0.2 * noise(rng, 6, 8), 0, 1), (0.34, 0.23, 0.14), (0.60, 0.45, 0.29))
    boards = 4
    for k in range(boards):
        rows = slice(k * SIZE // boards, (k + 1) * SIZE // boards)
        canvas[rows] = np.roll(canvas[rows], int(rng.integers(SIZE)), axis=1) * rng.uniform(0.8, 1.12)
        canvas[k * SIZE // boards : k * SIZE // boards + 4] *= 0.3
        for _ in range(3):
            centre = (int(rng.uniform(20, SIZE - 20)), int((k + rng.uniform(0.25, 0.75)) * SIZE / boards))
            cv2.ellipse(
                canvas,
                centre,
                (int(rng.uniform(4, 10)), int(rng.uniform(3, 6))),
                0,
                0,
                360,
                (0.20, 0.13, 0.08),
                -1,
                cv2.LINE_AA,
            )
    return canvas


def _brick(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng, 6, 8), (0.48, 0.46, 0.42), (0.62, 0.60, 0.56))
    rows, columns = 8, 4
    for r in range(rows):
        for c in range(-1, columns + 1):
            x, y = (c + 0.5 * (r % 2)) * SIZE / columns + 4, r * SIZE / rows + 4
            colour = np.array([0.52, 0.25, 0.17]) * rng.uniform(0.65, 1.2) + rng.uniform(-0.03, 0.03, 3)
            cv2.rectangle(
                canvas, (int(x), int(y)), (int(x + SIZE / columns - 9), int(y + SIZE / rows - 9)), colour.tolist(), -1
            )
    canvas[:, : SIZE // 64] = canvas[:, SIZE // 2 : SIZE // 2 + SIZE // 64]
    return np.asarray(canvas * (0.8 + 0.4 * noise(rng, 6, 8))[..., None], np.float32)


def _plaster(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng, 6, 2), (0.66, 0.64, 0.58), (0.82, 0.80, 0.75))
    stain = np.clip(noise(rng, 5, 2) - 0.55, 0, 1) * 0.8
    return np.asarray(canvas * (1 - 0.6 * stain)[..., None], np.float32)


def _concrete(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng, 7, 4, falloff=0.65), (0.32, 0.31, 0.30), (0.52, 0.51, 0.49))
    _strokes(canvas, rng, 60, (8, 40), [(0.24, 0.23, 0.22)], thickness=(1, 1), shade=(0.8, 1.1))
    _strokes(canvas, rng, 120, (4, 12), [(0.6, 0.5, 0.32)], thickness=(1, 1))
    canvas[:3] *= 0.6
    canvas[:, :3] *= 0.6
    return canvas


def _rubber(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    return _tinted(noise(rng, 7, 8, falloff=0.8), (0.10, 0.10, 0.10), (0.24, 0.24, 0.235))


def _leaves(rng: np.random.Generator, conifer: bool = False) -> npt.NDArray[np.float32]:
    canvas = np.zeros((SIZE, SIZE, 4), np.float32)
    cv2.line(canvas, (SIZE // 2, SIZE), (SIZE // 2, SIZE // 2), (0.20, 0.15, 0.10, 1.0), 22)
    blobs = [(rng.uniform(0.22, 0.78), rng.uniform(0.14, 0.62), rng.uniform(0.10, 0.2)) for _ in range(13)]
    for _ in range(8500):
        if conifer:
            v = rng.uniform(0.04, 0.9)
            x, y = 0.5 + float(np.clip(rng.normal(0, 0.13), -0.2, 0.2)) * v * 1.3, v
        else:
            bx, by, br = blobs[rng.integers(len(blobs))]
            a, r = rng.uniform(0, 6.3), br * np.sqrt(rng.random())
            x, y = bx + r * np.cos(a), by + r * np.sin(a)
        light = 0.45 + 0.5 * (1 - y) + rng.uniform(-0.22, 0.22)
        colour = (0.21 * light, 0.29 * light, 0.12 * light, 1.0)
        cv2.circle(canvas, (int(x * SIZE), int(y * SIZE)), int(rng.uniform(2, 6)), colour, -1)
    return canvas


def _sky(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    height = np.linspace(1, 0, SIZE, dtype=np.float32)[:, None]
    canvas = _tinted(np.broadcast_to(1 - height**0.7, (SIZE, SIZE)).astype(np.float32), (0.42, 0.60, 0.86), (0.83, 0.89, 0.95))
    cloud = np.clip(noise(rng, 6, 4) * 1.9 - 0.85, 0, 1)[..., None]
    return np.asarray(canvas * (1 - cloud) + cloud * np.array([0.95, 0.95, 0.96]), np.float32)


def _hay(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    canvas = _tinted(noise(rng), (0.22, 0.22, 0.10), (0.42, 0.40, 0.20))
    _strokes(canvas, rng, 5200, (10, 40), [(0.55, 0.52, 0.28), (0.45, 0.46, 0.24), (0.64, 0.58, 0.34)], thickness=(1, 1))
    return canvas


def _plain(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    return np.asarray(0.93 + 0.12 * (noise(rng, 6, 8)[..., None] - 0.5) * np.ones(3), np.float32)


SURFACES: dict[str, Surface] = {
    "straw": Surface(_straw),
    "grass": Surface(_grass),
    "sand": Surface(_sand),
    "wood": Surface(_wood),
    "brick": Surface(_brick),
    "plaster": Surface(_plaster),
    "concrete": Surface(_concrete),
    "rubber": Surface(_rubber),
    "tree": Surface(_leaves, tiles=False),
    "conifer": Surface(lambda rng: _leaves(rng, conifer=True), tiles=False),
    "sky": Surface(_sky),
    "hay": Surface(_hay),
    "plain": Surface(_plain),
}


def bake_surface(name: str) -> Picture:
    """RGBA picture of a surface, row 0 at v = 0.

    Raises:
        KeyError: no such surface.
    """
    canvas = SURFACES[name].paint(np.random.default_rng(sum(name.encode())))
    if canvas.shape[2] == 3:
        canvas = np.concatenate([canvas, np.ones((*canvas.shape[:2], 1), np.float32)], 2)
    return np.asarray(np.clip(canvas, 0, 1) * 255, np.uint8)[::-1]

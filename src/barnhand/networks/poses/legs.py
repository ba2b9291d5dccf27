"""Heat maps to points, left and right legs chosen together.

A heat map holds a probability a cell; the likelihood of a cell is the probability around it, the map blurred over ``blur``
cells (0: the map as it is). A leg seen from the side often has a peak on each of two legs in both of its channels; taking
each channel's most likely cell then puts left and right on one leg. So for each pair the candidates (strict 3 × 3 maxima of
either map before the blur, which melts two legs side by side into one) are scored together:
log a + log b - penalty × exp(-d² / (2 near²)), d the cells between them, and the best two win. Around the chosen cell the
centre of mass of likelihood^power over a window of ``reach`` cells gives the place between cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from barnhand.core.errors import ModelError
from barnhand.core.geometry import Floats

FLOOR = 1e-4
"""Least likelihood of a candidate, and how far from 0 and 1 a peak is kept before its logarithm is taken."""

Cells = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Decoding:
    """How one network's heat maps are read; the metadata ``barnhand.decode`` names the values."""

    candidates: int = 4
    penalty: float = 1.0
    near: float = 2.5
    reach: int = 2
    power: float = 2.0
    stride: float = 4.0
    blur: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Decoding":
        """Read ``pair-peak candidates=4 penalty=1.0 …``. Raises ``ModelError`` for another way of decoding."""
        words = text.split()
        if not words:
            return cls()
        known = {field.name: field.type for field in fields(cls)}
        values: dict[str, float] = {}
        for word in words[1:]:
            name, _, value = word.partition("=")
            try:
                values[name] = float(value)
            except ValueError as error:
                raise ModelError(f"the network's decoding has no number in {word!r}; export it again") from error
        if words[0] != "pair-peak" or not set(values) <= set(known):
            raise ModelError(f"the network wants to be decoded by {text!r}, which this BarnHand does not know; update BarnHand")
        whole = {name: int(values.pop(name)) for name in ("candidates", "reach") if name in values}
        return cls(**values, **whole)  # type: ignore[arg-type]


def decode(heat: Floats, pairs: Sequence[tuple[int, int]], how: Decoding) -> tuple[Floats, Floats]:
    """``(n, k, h, w)`` heat maps → ``(n, k, 2)`` input px and ``(n, k)`` peak values; ``pairs`` index left and right."""
    n, k, _, width = heat.shape
    likely = _blurred(heat, how.blur)
    flat = likely.reshape(n, k, -1)
    cell = flat.argmax(axis=2)
    if how.penalty > 0 and pairs:
        left, right = (np.array(side) for side in zip(*pairs, strict=True))
        cell[:, left], cell[:, right] = _together(heat, flat, left, right, how)
    y, x = np.divmod(cell, width)
    peaks = np.take_along_axis(flat, cell[..., None], axis=2)[..., 0]
    return _refine(likely, y, x, how), np.asarray(peaks, np.float32)


def _blurred(heat: Floats, sigma: float) -> Floats:
    """The probability around each cell: a Gaussian whose middle is 1, as two matrix products."""
    if sigma <= 0:
        return heat
    n, k, height, width = heat.shape
    rows, columns = (np.exp(-0.5 * ((np.arange(m)[:, None] - np.arange(m)) / sigma) ** 2) for m in (height, width))
    across = heat.reshape(-1, width) @ columns.astype(np.float32)
    return np.asarray(rows.astype(np.float32) @ across.reshape(n, k, height, width), np.float32)


def _together(heat: Floats, likely: Floats, left: Cells, right: Cells, how: Decoding) -> tuple[Cells, Cells]:
    """The chosen flat cells of the left and of the right channels, ``(n, pairs)`` each; ``likely`` is ``(n, k, h × w)``."""
    width, count = heat.shape[3], how.candidates
    maxima = _maxima(heat[:, np.concatenate([left, right])], count)
    cells = np.concatenate(np.split(maxima, 2, axis=1), axis=2)
    # A channel with fewer maxima than asked for repeats none: what is left over is never chosen.
    unused = np.where(cells < 0, -np.inf, 0.0)
    cells = np.maximum(cells, 0)
    a, b = (np.log(np.maximum(np.take_along_axis(likely[:, side], cells, axis=2), FLOOR)) + unused for side in (left, right))
    y, x = np.divmod(cells, width)
    apart = (y[..., :, None] - y[..., None, :]) ** 2 + (x[..., :, None] - x[..., None, :]) ** 2
    score = a[..., :, None] + b[..., None, :] - how.penalty * np.exp(-apart / (2 * how.near**2))
    best = score.reshape(*score.shape[:2], -1).argmax(axis=2)
    first, second = np.divmod(best, cells.shape[2])
    chosen = np.take_along_axis(cells, np.stack([first, second], axis=2), axis=2)
    return chosen[..., 0], chosen[..., 1]


def _maxima(heat: Floats, count: int) -> Cells:
    """Flat cells ``(n, p, count)`` of the strongest local maxima, strongest first; -1 where there are no more."""
    n, p, height, width = heat.shape
    square = np.ones((3, 3), np.uint8)
    cells = np.full((n * p, count), -1, np.int64)
    for row, one in zip(cells, heat.reshape(n * p, height, width), strict=True):
        flat = one.ravel()
        peaks = np.flatnonzero((one >= cv2.dilate(one, square)) & (one > 0))
        if not len(peaks):  # an empty map has a candidate too
            peaks = np.array([flat.argmax()])
        strongest = peaks[np.argsort(-flat[peaks], kind="stable")[:count]]
        row[: len(strongest)] = strongest
    return cells.reshape(n, p, count)


def _refine(heat: Floats, y: Cells, x: Cells, how: Decoding) -> Floats:
    """``(n, k, 2)`` input px: centre of mass of the window around each chosen cell, cut at the border."""
    n, k, height, width = heat.shape
    steps = np.arange(-how.reach, how.reach + 1)
    ys, xs = y[..., None] + steps, x[..., None] + steps
    rows, columns = np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)
    i, j = np.arange(n)[:, None, None, None], np.arange(k)[None, :, None, None]
    window = heat[i, j, rows[..., :, None], columns[..., None, :]].astype(np.float64)
    inside = ((ys == rows)[..., :, None]) & ((xs == columns)[..., None, :])
    window = np.where(inside, np.maximum(window, 0), 0)
    weight = (window / np.maximum(window.max(axis=(2, 3), keepdims=True), 1e-30)) ** how.power
    mass = weight.sum(axis=(2, 3))
    safe = np.maximum(mass, 1e-30)
    cx = np.where(mass > 0, (weight.sum(axis=2) * xs).sum(axis=2) / safe, x)
    cy = np.where(mass > 0, (weight.sum(axis=3) * ys).sum(axis=2) / safe, y)
    return np.asarray((np.stack([cx, cy], axis=2) + 0.5) * how.stride - 0.5, np.float32)

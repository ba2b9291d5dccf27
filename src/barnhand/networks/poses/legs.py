"""Heat maps to points, left and right legs chosen together.

A leg seen from the side often has a peak on each of two legs in both of its channels; taking each channel's highest cell
then puts left and right on one leg. So for each pair the candidates (strict 3 × 3 maxima) of both channels are scored
together: log a + log b - penalty × exp(-d² / (2 near²)), d the cells between them, and the best pair wins. Around the
chosen cell the centre of mass of value^power over a window of ``reach`` cells gives the place between cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from barnhand.core.errors import ModelError
from barnhand.core.geometry import Floats

FLOOR = 1e-4
"""Least value of a candidate, and how far from 0 and 1 a peak is kept before its logarithm is taken."""

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
    flat = heat.reshape(n * k, -1)
    cell = flat.argmax(axis=1).reshape(n, k)
    if how.penalty > 0 and pairs:
        left, right = (np.array(side) for side in zip(*pairs, strict=True))
        cell[:, left], cell[:, right] = _together(heat, left, right, how)
    y, x = np.divmod(cell, width)
    peaks = np.take_along_axis(flat, cell.reshape(-1, 1), axis=1).reshape(n, k)
    return _refine(heat, y, x, how), np.asarray(peaks, np.float32)


def _together(heat: Floats, left: Cells, right: Cells, how: Decoding) -> tuple[Cells, Cells]:
    """The chosen flat cells of the left and of the right channels, ``(n, pairs)`` each."""
    width = heat.shape[3]
    (cell_a, value_a), (cell_b, value_b) = (_maxima(heat[:, side], how.candidates) for side in (left, right))
    ya, xa = np.divmod(cell_a, width)
    yb, xb = np.divmod(cell_b, width)
    apart = (ya[..., :, None] - yb[..., None, :]) ** 2 + (xa[..., :, None] - xb[..., None, :]) ** 2
    score = value_a[..., :, None] + value_b[..., None, :] - how.penalty * np.exp(-apart / (2 * how.near**2))
    best = score.reshape(*score.shape[:2], -1).argmax(axis=2)
    first, second = np.divmod(best, cell_b.shape[2])
    chosen_a = np.take_along_axis(cell_a, first[..., None], axis=2)[..., 0]
    chosen_b = np.take_along_axis(cell_b, second[..., None], axis=2)[..., 0]
    return chosen_a, chosen_b


def _maxima(heat: Floats, count: int) -> tuple[Cells, Floats]:
    """Flat cells and log values ``(n, p, count)`` of the strongest local maxima, strongest first; -inf where there are none."""
    n, p, height, width = heat.shape
    padded = np.pad(heat, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-1.0)
    rows = np.maximum(np.maximum(padded[..., :-2, :], padded[..., 1:-1, :]), padded[..., 2:, :])
    around = np.maximum(np.maximum(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])
    values = np.where((heat >= around) & (heat > FLOOR), heat, -1.0).reshape(n, p, -1)
    # The highest cell stands even where nothing reaches the floor, so that every channel has a candidate.
    top = heat.reshape(n, p, -1).argmax(axis=2)[..., None]
    np.put_along_axis(values, top, np.maximum(np.take_along_axis(heat.reshape(n, p, -1), top, axis=2), FLOOR), axis=2)
    count = min(count, height * width)
    some = np.argpartition(-values, count - 1, axis=2)[..., :count]
    order = np.argsort(-np.take_along_axis(values, some, axis=2), axis=2, kind="stable")
    cells = np.take_along_axis(some, order, axis=2)
    found = np.take_along_axis(values, cells, axis=2)
    return cells, np.where(found > 0, np.log(np.maximum(found, FLOOR)), -np.inf).astype(np.float32)


def _refine(heat: Floats, y: Cells, x: Cells, how: Decoding) -> Floats:
    """``(n, k, 2)`` input px: centre of mass of the window around each chosen cell, cut at the border."""
    n, k, height, width = heat.shape
    steps = np.arange(-how.reach, how.reach + 1)
    ys, xs = y[..., None] + steps, x[..., None] + steps
    rows, columns = np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)
    i, j = np.arange(n)[:, None, None, None], np.arange(k)[None, :, None, None]
    window = heat[i, j, rows[..., :, None], columns[..., None, :]].astype(np.float64)
    inside = ((ys == rows)[..., :, None]) & ((xs == columns)[..., None, :])
    weight = np.where(inside, np.maximum(window, 0) ** how.power, 0)
    mass = weight.sum(axis=(2, 3))
    safe = np.maximum(mass, 1e-30)
    cx = np.where(mass > 0, (weight.sum(axis=2) * xs).sum(axis=2) / safe, x)
    cy = np.where(mass > 0, (weight.sum(axis=3) * ys).sum(axis=2) / safe, y)
    return np.asarray((np.stack([cx, cy], axis=2) + 0.5) * how.stride - 0.5, np.float32)

"""How many strides a second: the spectrum of the limbs' swing.

Each limb point swings to and fro along the body once a stride. Its position along the body, in body lengths, is a series
with gaps (a leg is hidden now and then); the Lomb-Scargle periodogram (Scargle, ApJ 263, 1982) takes such series as they
are. The spectra of all limb points are added, so that one lost leg does not matter. Where a pose takes a left leg for the
right one now and then, the swing seems to come twice a stride: power at twice a frequency counts for it too, as long as
the frequency itself has a fair share.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lombscargle

Doubles = npt.NDArray[np.float64]

LIMBS = tuple(f"{side}_{point}" for side in ("left", "right") for point in ("front_hoof", "hind_hoof", "carpus", "hock"))
"""The points whose swing is looked at."""


@dataclass(frozen=True)
class StrideOptions:
    """When a stride frequency can be told."""

    slowest_hz: float = 0.5
    """Below this a horse steps, it does not stride."""
    fastest_hz: float = 2.6
    """A racing gallop has 2.3 to 2.9."""
    least_s: float = 1.6
    """Shortest series looked at …"""
    least_strides: float = 1.6
    """… and strides it must hold."""
    least_points: int = 8
    """Sightings a limb point needs to count."""
    swing: float = 0.06
    """Amplitude of the swing in body lengths below which a horse does not move its legs."""
    quality: float = 0.35
    """Quality below which nothing is said."""
    fair: float = 0.4
    """Power at a frequency, over that at its double, from which the double is taken for its harmonic."""


@dataclass(frozen=True)
class Stride:
    """``hz`` strides a second; ``quality`` 0..1 is the share of the limbs' movement that this rhythm explains."""

    hz: float
    quality: float


def stride(seconds: Doubles, swings: Sequence[Doubles], options: StrideOptions | None = None) -> Stride | None:
    """Stride frequency of series ``(n,)`` in body lengths, NaN where not seen, at times ``seconds`` ``(n,)``.

    ``None`` when it is not measurable: too short, too few sightings, sampled too slowly, legs at rest, no clear rhythm.
    """
    options = options or StrideOptions()
    span = float(seconds[-1] - seconds[0]) if len(seconds) > 1 else 0.0
    if span < options.least_s:
        return None
    step = float(np.median(np.diff(seconds)))
    slowest = max(options.slowest_hz, options.least_strides / span)
    fastest = min(options.fastest_hz, 0.49 / max(step, 1e-3))
    if fastest <= slowest:
        return None
    hz = np.linspace(slowest, fastest, 160)
    doubled = np.minimum(2 * hz, 0.49 / max(step, 1e-3))
    within = 2 * hz == doubled
    power, harmonic, total = np.zeros(len(hz)), np.zeros(len(hz)), 0.0
    for swing in swings:
        seen = np.isfinite(swing)
        if int(seen.sum()) < options.least_points or seconds[seen][-1] - seconds[seen][0] < 0.8 * span:
            continue
        steady = np.polyfit(seconds[seen], swing[seen], 1)
        rest = swing[seen] - np.polyval(steady, seconds[seen])
        variance = float(rest.var())
        if variance < (options.swing**2) / 2:
            continue
        both = 2 * np.pi * np.concatenate([hz, doubled])
        spectrum = np.asarray(lombscargle(seconds[seen], rest, both, floating_mean=True, normalize=True), np.float64)
        power += variance * spectrum[: len(hz)]
        harmonic += variance * spectrum[len(hz) :]
        total += variance
    if total <= 0:
        return None
    fair = within & (power >= options.fair * harmonic)
    shares = (power + np.where(fair, harmonic, 0.0)) / total
    best = int(shares.argmax())
    # The peak of a rhythm slower than can be told lies on the edge.
    if best in {0, len(hz) - 1} or shares[best] < options.quality:
        return None
    a, b, c = power[best - 1 : best + 2]
    bend = a - 2 * b + c
    shift = float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if abs(bend) > 1e-12 else 0.0
    return Stride(float(hz[best] + shift * (hz[1] - hz[0])), float(min(shares[best], 1.0)))

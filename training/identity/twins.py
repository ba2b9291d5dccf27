"""How many rendered horses have a double: another of the same coat, shade and marks. No network can tell those apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from training.synthetic.looks import NEVER, Look, random_look

SHADE = 0.15
"""Difference of the coat's logarithmic brightness that is lost in the change of light between two pictures."""
SOCK = 0.1
"""Difference in the height of a sock, in metres, that a crop of 128x160 may still show."""


def alike(one: Look, other: Look) -> bool:
    """Whether nothing but the fine grain of the coat and a few per cent of build tells two looks apart."""
    shade = abs(np.log(np.array(one.body).mean() / np.array(other.body).mean()))
    patched = one.pattern[0] < NEVER or other.pattern[0] < NEVER
    blaze = (one.face[0] < NEVER) == (other.face[0] < NEVER)
    star = (one.face[1] > 0) == (other.face[1] > 0)
    size = abs(np.log(one.build.mean() / other.build.mean()))
    socks = np.abs(np.array(one.socks) - np.array(other.socks)).max()
    return one.coat == other.coat and shade < SHADE and not patched and blaze and star and size < 0.1 and socks < SOCK


def with_doubles(identities: Iterable[int]) -> int:
    """How many of the identities are ``alike`` another of them."""
    looks = [random_look(number, tack=False) for number in identities]
    return sum(any(alike(one, other) for other in looks if other is not one) for one in looks)

"""One place that fixes every random generator a run uses."""

from __future__ import annotations

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch (all devices)."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def sample_rng(seed: int, index: int) -> np.random.Generator:
    """A generator that belongs to the sample with this running number.

    Augmentation drawn from it does not depend on which worker makes the sample or on where a run was
    interrupted, so a resumed run sees exactly the samples the uninterrupted one would have seen.
    """
    return np.random.default_rng((seed, index))

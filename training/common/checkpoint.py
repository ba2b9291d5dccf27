"""Checkpoints that survive being killed at any moment, and averaged weights."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` with the random generators' states, atomically: a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {**state, "rng": rng_state()}
    partial = path.with_name(path.name + ".part")
    with partial.open("wb") as file:
        torch.save(whole, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path, *, restore_rng: bool = True) -> dict[str, Any] | None:
    """The checkpoint at `path`, or None where there is none; restores the random generators unless told not to.

    Only load files this project wrote: the format can run code.
    """
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=False)
    rng = state.pop("rng", None)
    if restore_rng and rng is not None:
        set_rng_state(rng)
    return state


def rng_state() -> dict[str, Any]:
    """The states of Python's, numpy's and torch's generators (CUDA included where present)."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_rng_state(state: dict[str, Any]) -> None:
    """Put back what `rng_state` returned."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


class Ema:
    """Exponential moving average of a model's floating-point state; other entries are copied as they are.

    The decay ramps up as (1 + n) / (10 + n) until it reaches `decay`, so early averages are not the initial weights.
    """

    def __init__(self, model: nn.Module, decay: float = 0.999) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"decay must be in [0, 1), got {decay}")
        self.decay = decay
        self.updates = 0
        self.shadow = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model's present weights."""
        self.updates += 1
        keep = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, tensor in model.state_dict().items():
            mean = self.shadow[name]
            if mean.dtype.is_floating_point:
                mean.lerp_(tensor.detach(), 1.0 - keep)
            else:
                mean.copy_(tensor)

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on averaging."""
        return {"updates": self.updates, "shadow": self.shadow}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what `state_dict` returned; the decay stays the one given at construction."""
        self.updates = int(state["updates"])
        for name, tensor in state["shadow"].items():
            self.shadow[name].copy_(tensor)

"""Which range each tensor of a network in bytes gets: the one whose bytes come nearest, in squares, to what floats compute.

The values farthest out are rare; leaving some of them out makes the steps of all others finer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from training.detect.compose import Batches, Composer
from training.detect.copying import MIX
from training.detect.data import Library
from training.detect.integers import (
    ENTRANCES,
    KNEE,
    MOVED,
    ByteSwish,
    HardSwish,
    Range,
    inner_convs,
    outer_of,
    prepare,
    rounded,
    seams,
    set_range,
)
from training.detect.network import Nano

#: Values of a tensor that are kept of each batch to choose its range.
SAMPLED = 20_000
#: Of the values that are kept.
SEED = 17
#: Batches whose pictures the ranges are chosen from, and pictures in each.
BATCHES, SIZE = 12, 12
#: Shares of the highest value seen that are tried as the top of a range.
TOPS = tuple(share / 40 for share in range(6, 41))


@torch.no_grad()
def choose(network: Nano, plain: Nano, batches: Iterable[Tensor]) -> None:
    """Choose the ranges of a prepared network from what the same network in floats computes from pictures (B, 3, H, W)."""
    seen: dict[str, list[Tensor]] = {}
    chance = torch.Generator().manual_seed(SEED)
    watched: dict[str, nn.Module] = {name: module.conv for name, module in inner_convs(plain).items()}
    watched |= seams(plain) | {entrance: plain.get_submodule(name) for entrance, name in ENTRANCES.items()}

    def watch(name: str) -> Any:
        def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            flat = output.flatten()
            kept = seen.setdefault(name, [])
            kept.append(flat[torch.randint(len(flat), (min(SAMPLED, len(flat)),), generator=chance)])
            kept.append(torch.stack([flat.min(), flat.max()]))

        return keep

    hooks = [module.register_forward_hook(watch(name)) for name, module in watched.items()]
    for batch in batches:
        plain(batch)
    for hook in hooks:
        hook.remove()
    values = {name: torch.cat(parts) for name, parts in seen.items()}
    for name, module in inner_convs(network).items():
        assert isinstance(module.activation, ByteSwish)
        module.activation.high.fill_(best_swish(values[name]))
    for name in (*seams(network), *ENTRANCES):
        set_range(network.get_submodule(name), best_range(values[name]))
    for name, source in MOVED.items():
        activation = network.get_submodule(f"{source}.activation")
        assert isinstance(activation, ByteSwish)
        set_range(network.get_submodule(name), activation.outer)


def best_swish(values: Tensor) -> float:
    """The highest input of a hard-swish in bytes that keeps what comes out nearest, in squares."""
    wanted, top = nnf.hardswish(values), max(float(values.max()), 0.5)

    def error(high: float) -> float:
        return float((HardSwish.apply(values, Range(-KNEE, high), outer_of(high)) - wanted).pow(2).mean())  # type: ignore[no-untyped-call]

    return min((share * top for share in TOPS), key=error)


def best_range(values: Tensor) -> Range:
    """The range whose bytes are nearest to the values, in squares."""
    low, top = min(float(values.min()), 0.0), max(float(values.max()), 0.1)
    tried = (Range(low, share * top) for share in TOPS)
    return min(tried, key=lambda place: float((rounded(values, place) - values).pow(2).mean()))


def in_bytes_of(plain: Nano, library: Library, seed: int = 1) -> Nano:
    """A copy of a network with hard-swish that computes in bytes, with ranges from `BATCHES` batches of training pictures."""
    network = copy.deepcopy(plain)
    prepare(network)
    batches = Batches(Composer(library, MIX, seed), SIZE)
    choose(network, plain, (batches[number].pixels.float() for number in range(BATCHES)))
    return network

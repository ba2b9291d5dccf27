"""Arithmetic in bytes: weights and activations are rounded while the network learns, as the int8 file rounds them at run time.

Activations are bytes 0…255 with one step for a tensor; weights have a step for each output channel, as fine as no processor
saturates at (see `common.narrow`).

Hard-swish is x · clip(x + 3, 0, 6) / 6. Its x is kept from -3 on, below which hard-swish is 0, so the byte of x, read as if
nought were at byte 0, is x + 3 already: hard-swish of bytes is the byte, clipped, times itself.

The first stages, stride 8, the branches of the boxes' edges and the heads' last convolutions are computed in floats. The first
convolution answers to pixels up to 255 with values up to 150, of which those near 1 matter as well: rounding that one tensor to
bytes costs more than rounding all others. What the last say are boxes and logits, which 256 values do not hold.

Gradients pass rounding as if it were not there, and stop where a value saturates (Jacob et al., "Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from training.common.narrow import LIMIT
from training.detect.network import Bottleneck, Conv, CrossStage, Nano, Pyramid, is_hard, set_hard

#: Hard-swish is nought below, and x itself above.
KNEE = 3.0
#: Its lowest value.
LOWEST = -0.375
#: Where the network itself joins; blocks have seams of their own.
SEAMS = ("joined_m4", "joined_p4", "joined_p5")
#: What is computed in floats: the first stages, all of stride 8 behind them, and what leads to the boxes' edges.
FLOATS = ("stem", "dark2", "dark3", "down3", "heads.0")
#: Convolutions in floats whose output is rounded, for what reads it next is in bytes.
LASTS = ("dark3.1.join", "down3.join")
#: Where that happens.
ENTRANCES = {f"{name}.activation.1": name for name in LASTS}
#: What only moves or chooses bytes keeps the range of the activation it comes from.
MOVED = {"raised5": "lateral5", "dark5.1.pooled": "dark5.1.squeeze"}


class Range(NamedTuple):
    """What the bytes 0 and 255 of a tensor stand for, about: nought has a byte of its own."""

    low: float
    high: float

    @property
    def step(self) -> float:
        return max(self.high - self.low, 1e-6) / 255

    @property
    def zero(self) -> int:
        """The byte that stands for 0."""
        return min(255, max(0, round(-self.low / self.step)))


def rounded(x: Tensor, place: Range) -> Tensor:
    """The value nearest to each that a byte can hold."""
    return torch.fake_quantize_per_tensor_affine(x.float(), place.step, place.zero, 0, 255)


def quantised(g: Any, x: Any, place: Range) -> tuple[Any, Any]:
    """Nodes that round `x` to bytes, and that read them again."""
    step, zero = _float(g, place.step), _byte(g, place.zero)
    whole = g.op("QuantizeLinear", x, step, zero)
    return whole, g.op("DequantizeLinear", whole, step, zero)


def _float(g: Any, value: float) -> Any:
    return g.op("Constant", value_t=torch.tensor(value))


def _byte(g: Any, value: int) -> Any:
    return g.op("Constant", value_t=torch.tensor(value, dtype=torch.uint8))


class HardSwish(torch.autograd.Function):
    """Hard-swish in bytes, as one step forward and one back, so that training keeps one tensor of it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, inner: Range, outer: Range) -> Tensor:
        ctx.save_for_backward(x)
        ctx.high = inner.high
        value, six = rounded(x, inner), 2 * inner.zero * inner.step
        return rounded(value * (value / six + 0.5).clamp_(0, 1), outer)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        slope = ((2 * x + KNEE) / (2 * KNEE)).masked_fill_(x > KNEE, 1.0).masked_fill_((x < -KNEE) | (x > ctx.high), 0.0)
        return grads[0] * slope, None, None

    @staticmethod
    def symbolic(g: Any, x: Any, inner: Range, outer: Range) -> Any:
        whole, value = quantised(g, x, inner)
        clipped = g.op("Clip", whole, _byte(g, 0), _byte(g, min(255, 2 * inner.zero)))
        gate = g.op("DequantizeLinear", clipped, _float(g, 1 / (2 * inner.zero)), _byte(g, 0))
        return quantised(g, g.op("Mul", value, gate), outer)[1]


class _Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, place: Range) -> Tensor:
        ctx.save_for_backward((x >= place.low) & (x <= place.high))
        return rounded(x, place)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (inside,) = ctx.saved_tensors
        return grads[0] * inside, None

    @staticmethod
    def symbolic(g: Any, x: Any, place: Range) -> Any:
        return quantised(g, x, place)[1]


class Bytes(nn.Module):
    """Rounds a tensor to bytes."""

    low: Tensor
    high: Tensor

    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))

    @property
    def place(self) -> Range:
        return Range(float(self.low), float(self.high))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Round.apply(x, self.place)  # type: ignore[no-untyped-call]
        return out


class ByteSwish(nn.Module):
    """Hard-swish of bytes in -3…high, to bytes."""

    high: Tensor

    def __init__(self, high: float = 6.0) -> None:
        super().__init__()
        self.register_buffer("high", torch.tensor(high))

    @property
    def inner(self) -> Range:
        return Range(-KNEE, float(self.high))

    @property
    def outer(self) -> Range:
        return outer_of(float(self.high))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = HardSwish.apply(x, self.inner, self.outer)  # type: ignore[no-untyped-call]
        return out


def outer_of(high: float) -> Range:
    """What comes out of hard-swish of -3…high."""
    return Range(LOWEST, max(high * min(high + KNEE, 2 * KNEE) / (2 * KNEE), 0.1))


class ByteConv(nn.Conv2d):
    """A convolution whose weights are rounded to int8, each output channel with a step of its own."""

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self._conv_forward(x, rounded_weights(self), self.bias)
        return out


@torch.no_grad()
def weight_steps(conv: nn.Conv2d) -> Tensor:
    """The step of each output channel's weights, (O, 1, 1, 1): the finest at which none leaves a byte and no pair 16 bits."""
    weight = conv.weight.detach()
    step = weight.abs().amax((1, 2, 3)) / 127
    if conv.groups == 1:  # depthwise kernels are computed another way
        rows = weight.permute(0, 2, 3, 1).flatten(1)  # in the order in which they are summed
        pairs = nnf.pad(rows, (0, rows.shape[1] % 2)).reshape(len(rows), -1, 2)
        largest = torch.maximum(pairs.clamp(min=0).sum(2), -pairs.clamp(max=0).sum(2)).amax(1)
        step = torch.maximum(step, largest / (LIMIT - 1))  # rounding may add a half to each of the two
    return step.clamp(min=1e-9)[:, None, None, None]


def rounded_weights(conv: nn.Conv2d) -> Tensor:
    """Its weights as int8 holds them; gradients pass."""
    with torch.no_grad():
        step = weight_steps(conv)
        moved = (conv.weight / step).round() * step - conv.weight
    return conv.weight + moved


def seams(network: Nano) -> dict[str, nn.Module]:
    """Modules through which a sum or a join passes, by name: they do nothing, or round."""
    found: dict[str, nn.Module] = {name: getattr(network, name) for name in SEAMS}
    for name, module in network.named_modules():
        if isinstance(module, Bottleneck) and module.shortcut:
            found[f"{name}.summed"] = module.summed
        elif isinstance(module, CrossStage | Pyramid):
            found[f"{name}.joined"] = module.joined
    return {name: module for name, module in found.items() if not in_floats(name)}


def in_floats(name: str) -> bool:
    """Whether that part of the network is computed in floats."""
    return name.startswith(FLOATS) or ".box_body." in name


def inner_convs(network: Nano) -> dict[str, Conv]:
    """All convolutions with an activation that are computed in bytes."""
    return {name: m for name, m in network.named_modules() if isinstance(m, Conv) and not in_floats(name)}


def put(network: nn.Module, name: str, module: nn.Module) -> None:
    """Set a submodule by its dotted name."""
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)


def like(conv: nn.Conv2d, kind: type[nn.Conv2d]) -> nn.Conv2d:
    """The same convolution, with the same parameters, of another kind."""
    new = kind(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, groups=conv.groups)  # type: ignore[arg-type]
    new.weight, new.bias = conv.weight, conv.bias
    return new


def prepare(network: Nano) -> None:
    """Make a network with hard-swish round as the int8 file does; ranges are to be chosen (`ranges.choose`) or loaded."""
    if not is_hard(network):
        raise ValueError("only a network with hard-swish is computed in bytes: copy it first.")
    for module in inner_convs(network).values():
        module.conv = like(module.conv, ByteConv)
        module.activation = ByteSwish()
    for name in LASTS:
        put(network, f"{name}.activation", nn.Sequential(nn.Hardswish(), Bytes()))
    for name in (*seams(network), *MOVED):
        put(network, name, Bytes())


def in_bytes(network: Nano) -> bool:
    """Whether `prepare` was called on it."""
    return isinstance(network.joined_m4, Bytes)


def become(network: Nano, hard: bool, whole: bool) -> None:
    """Make a fresh network one with hard-swish, or one in bytes (`whole`), as another is; its state is loaded afterwards."""
    set_hard(network, hard)
    if whole:
        prepare(network)


def ranges(network: Nano) -> dict[str, tuple[float, float]]:
    """The lowest and highest of each rounding module of a prepared network, by name."""
    found: dict[str, tuple[float, float]] = {}
    for name, module in network.named_modules():
        if isinstance(module, Bytes):
            found[name] = (module.place.low, module.place.high)
        elif isinstance(module, ByteSwish):
            found[name] = (module.inner.low, module.inner.high)
    return found


def set_ranges(network: Nano, found: Mapping[str, Sequence[float]]) -> None:
    """Give a prepared network the ranges that `ranges` returned."""
    for name, (low, high) in found.items():
        module = network.get_submodule(name)
        if isinstance(module, Bytes):
            set_range(module, Range(low, high))
        else:
            assert isinstance(module, ByteSwish)
            module.high.fill_(high)


def set_range(module: nn.Module, place: Range) -> None:
    """What a `Bytes` rounds to from now on."""
    assert isinstance(module, Bytes)
    module.low.fill_(place.low)
    module.high.fill_(place.high)


@torch.no_grad()
def settle(network: Nano) -> dict[str, Tensor]:
    """Round weights and biases for good, as the file holds them; biases in units of a weight's step times the input's.

    Returns the steps (O,) of each convolution's weights, by its name.
    """
    given, steps = input_steps(network), {}
    for name, module in inner_convs(network).items():
        assert isinstance(module.conv, ByteConv)
        weight, steps[name] = rounded_weights(module.conv), weight_steps(module.conv).flatten()
        unit = steps[name] * given[name]
        module.conv = like(module.conv, nn.Conv2d)
        module.conv.weight.copy_(weight)
        assert module.conv.bias is not None
        module.conv.bias.copy_((module.conv.bias / unit).round() * unit)
    return steps


def input_steps(network: Nano) -> dict[str, float]:
    """The step of the bytes that each convolution between bytes is given, by its name."""
    steps: dict[str, float] = {}
    made: dict[int, tuple[Tensor, float]] = {}  # holds on to the tensors, so that no two have one id

    def making(module: nn.Module, _: object, output: Tensor) -> None:
        assert isinstance(module, Bytes | ByteSwish)
        made[id(output)] = output, (module.outer if isinstance(module, ByteSwish) else module.place).step

    def given(name: str) -> Any:
        return lambda _, inputs: steps.__setitem__(name, made[id(inputs[0])][1])

    hooks = [m.register_forward_hook(making) for m in network.modules() if isinstance(m, Bytes | ByteSwish)]
    hooks += [module.conv.register_forward_pre_hook(given(name)) for name, module in inner_convs(network).items()]
    network(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return steps

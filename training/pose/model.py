"""The pose network: EfficientNet-Lite0 without batch norms, a dense head with attention, probability heatmaps.

The backbone is EfficientNet-Lite0 (Tan and Le, 2019; the "Lite" variant of the TensorFlow TPU repository, Apache-2.0) with
each batch norm folded into its convolution, so that training neither computes nor updates batch statistics. Its padding is
symmetric, which shifts the sampling grid of the published weights by at most one pixel a stage; fine-tuning absorbs that.

The head works at stride 16 with dense 3x3 convolutions and self-attention, so that every leg sees every other leg, then
climbs to stride 4. For each point it gives a distribution over the cells and a visibility logit. The heatmap handed out is
visibility x the distribution: a cell's value is the probability that the point is visible and lies in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as fn
from torch.nn import grad as conv_grad

from training.pose.skeleton import COUNT, MIRROR

STRIDE = 4
"""Input pixels a heatmap cell."""


@dataclass(frozen=True)
class ModelOptions:
    """Sizes of the network; the defaults are the published ones."""

    stem: int = 32
    """Channels after the first convolution."""
    stages: tuple[tuple[int, int, int, int, int], ...] = (
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    )
    """EfficientNet stages as (expansion, channels, blocks, stride of the first, kernel)."""
    frozen_blocks: int = 5
    """The stem and so many blocks are not trained and not back-propagated through."""
    width16: int = 160
    """Head channels at stride 16."""
    width8: int = 80
    """Head channels at stride 8."""
    width4: int = 48
    """Head channels at stride 4."""
    attention_blocks: int = 2
    """Self-attention blocks at stride 16."""
    heads: int = 5
    """Attention heads; divides `width16`."""
    inner_size: int | None = None
    """Side in pixels to which `forward` shrinks larger crops before the network sees them; None leaves them as they are."""
    mirror: bool = False
    """`forward` also looks at the mirrored crop and returns the mean of both answers: twice the work, fewer errors."""


class _Depthwise(torch.autograd.Function):
    """Depthwise convolution whose backward pass avoids the two slow paths of CPU bf16.

    Measured on one core with AMX: PyTorch 2.13's bf16 data gradient of a strided depthwise convolution takes 10 to 100
    times its fp32 one. The stride-1 data gradient is a depthwise convolution with the flipped kernel.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return fn.conv2d(x, weight, bias, stride, weight.shape[-1] // 2, 1, weight.shape[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor, None]:
        x, weight = ctx.saved_tensors
        pad, groups, stride = weight.shape[-1] // 2, weight.shape[0], ctx.stride
        grad_x = grad_w = None
        if ctx.needs_input_grad[0]:
            if stride == 1:
                grad_x = fn.conv2d(grad, weight.flip(-1, -2), None, 1, pad, 1, groups)
            else:
                grad_x = conv_grad.conv2d_input(  # type: ignore[no-untyped-call]
                    x.shape, weight.float(), grad.float(), stride, pad, 1, groups
                )
                grad_x = grad_x.to(grad.dtype)
        if ctx.needs_input_grad[1]:
            shape = weight.shape
            grad_w = conv_grad.conv2d_weight(x, shape, grad, stride, pad, 1, groups)  # type: ignore[no-untyped-call]
        return grad_x, grad_w, grad.sum((0, 2, 3)), None


class MBConv(nn.Module):
    """Inverted residual block with folded batch norms: 1x1, depthwise, 1x1 linear.

    Depthwise kernels of 5x5 are never trained: their weight gradient alone would cost more than the rest of the block.
    """

    def __init__(self, expansion: int, cin: int, cout: int, stride: int, kernel: int) -> None:
        super().__init__()
        mid = cin * expansion
        self.expand = nn.Conv2d(cin, mid, 1) if expansion != 1 else None
        self.depthwise = nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid)
        self.project = nn.Conv2d(mid, cout, 1)
        self.skip = stride == 1 and cin == cout
        self.depthwise.weight.requires_grad_(kernel == 3)

    def _depthwise(self, y: Tensor) -> Tensor:
        conv = self.depthwise
        if not (torch.is_grad_enabled() and y.requires_grad and y.device.type == "cpu"):
            plain: Tensor = conv(y)
            return plain
        assert conv.bias is not None
        dtype = y.dtype
        fast: Tensor = _Depthwise.apply(y, conv.weight.to(dtype), conv.bias.to(dtype), conv.stride[0])  # type: ignore[no-untyped-call]
        return fast

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else fn.relu6(self.expand(x), inplace=True)
        z: Tensor = self.project(fn.relu6(self._depthwise(y), inplace=True))
        return x + z if self.skip else z


class Backbone(nn.Module):
    """Features at strides 4, 8, 16 and 32."""

    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, options.stem, 3, 2, 1)
        blocks: list[MBConv] = []
        taps: dict[int, int] = {}
        channels: dict[int, int] = {}
        cin, stride = options.stem, 2
        for expansion, cout, count, step, kernel in options.stages:
            for index in range(count):
                blocks.append(MBConv(expansion, cin, cout, step if index == 0 else 1, kernel))
                stride *= step if index == 0 else 1
                cin = cout
                taps[stride], channels[stride] = len(blocks) - 1, cout
        self.blocks = nn.ModuleList(blocks)
        self.frozen = options.frozen_blocks
        self.taps = {taps[s]: s for s in (4, 8, 16, 32)}
        self.channels = {s: channels[s] for s in (4, 8, 16, 32)}
        for parameter in self.frozen_parameters():
            parameter.requires_grad_(False)

    def frozen_parameters(self) -> list[nn.Parameter]:
        """Parameters of the stem and of the first blocks, which stay as they are."""
        modules = [self.stem, *list(self.blocks)[: self.frozen]] if self.frozen else []
        return [parameter for module in modules for parameter in module.parameters()]

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        x = fn.relu6(self.stem((x - 127.0) / 128.0), inplace=True)
        features: dict[int, Tensor] = {}
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                features[self.taps[index]] = x
        return features


def conv_norm(cin: int, cout: int, kernel: int) -> nn.Sequential:
    """Convolution without bias and its batch norm."""
    return nn.Sequential(nn.Conv2d(cin, cout, kernel, 1, kernel // 2, bias=False), nn.BatchNorm2d(cout))


class Residual(nn.Module):
    """Two dense 3x3 convolutions and a skip."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = conv_norm(width, width, 3)
        self.second = conv_norm(width, width, 3)
        last = self.second[1]
        assert isinstance(last, nn.BatchNorm2d)
        nn.init.constant_(last.weight, 0.2)

    def forward(self, x: Tensor) -> Tensor:
        return fn.relu(x + self.second(fn.relu(self.first(x))))


class Attention(nn.Module):
    """Pre-norm transformer block over the cells of a feature map, with coordinates added to queries and keys."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"attention width {width} is not divisible by {heads} heads")
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.place = nn.Linear(16, width)
        self.qk = nn.Linear(width, 2 * width)
        self.v = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        for layer in (self.out, self.down):
            nn.init.normal_(layer.weight, std=0.02 / math.sqrt(width) * 4)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        c, h, w = (int(extent) for extent in x.shape[1:])
        n = x.shape[0]
        tokens = x.flatten(2).transpose(1, 2)
        y = self.norm1(tokens)
        q, k = self.qk(y + self.place(coordinate_waves(h, w, x.device).to(y.dtype))).chunk(2, dim=-1)
        q, k, v = (t.reshape(n, h * w, self.heads, c // self.heads).transpose(1, 2) for t in (q, k, self.v(y)))
        weight = torch.softmax((q @ k.transpose(-1, -2)) * (c // self.heads) ** -0.5, dim=-1)
        tokens = tokens + self.out((weight.to(v.dtype) @ v).transpose(1, 2).reshape(n, h * w, c))
        tokens = tokens + self.down(fn.relu(self.up(self.norm2(tokens))))
        result: Tensor = tokens.transpose(1, 2).reshape(n, c, h, w)
        return result


def coordinate_waves(h: int, w: int, device: torch.device) -> Tensor:
    """(h*w, 16): sines and cosines of the cell's place at four frequencies, the same for every input size."""
    y = (torch.arange(h, device=device) + 0.5) / h * 2 - 1
    x = (torch.arange(w, device=device) + 0.5) / w * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij"), -1).reshape(-1, 2, 1)
    phase = (grid * (math.pi / 2 * 2.0 ** torch.arange(4, device=device))).reshape(-1, 8)
    return torch.cat([phase.sin(), phase.cos()], -1)


@dataclass
class Outputs:
    """What the head says, before the heatmaps: `fine` (n, 20, H/4, W/4) logits, `coarse` (n, 20, H/16, W/16) logits,
    `visible` (n, 20) logits."""

    fine: Tensor
    coarse: Tensor
    visible: Tensor


class PoseNet(nn.Module):
    """RGB crops (n, 3, S, S) in 0..255 to heatmaps (n, 20, S/4, S/4) in 0..1."""

    def __init__(self, options: ModelOptions | None = None) -> None:
        super().__init__()
        self.options = options or ModelOptions()
        o = self.options
        self.backbone = Backbone(o)
        c = self.backbone.channels
        self.lateral32 = conv_norm(c[32], o.width16, 1)
        self.lateral16 = conv_norm(c[16], o.width16, 1)
        self.mix16 = Residual(o.width16)
        self.coarse = nn.Conv2d(o.width16, COUNT, 1)
        self.feedback = nn.Conv2d(COUNT, o.width16, 1)
        self.attention = nn.ModuleList([Attention(o.width16, o.heads) for _ in range(o.attention_blocks)])
        self.to8 = conv_norm(o.width16, o.width8, 1)
        self.lateral8 = conv_norm(c[8], o.width8, 1)
        self.mix8 = Residual(o.width8)
        self.to4 = conv_norm(o.width8, o.width4, 1)
        self.lateral4 = conv_norm(c[4], o.width4, 1)
        self.mix4 = conv_norm(o.width4, o.width4, 3)
        self.fine = nn.Conv2d(o.width4, COUNT, 1)
        self.visible_map = nn.Conv2d(o.width4, COUNT, 1)
        self.visible_whole = nn.Linear(o.width16, COUNT)

    def logits(self, crops: Tensor) -> Outputs:
        """Distributions and visibility before the heatmap."""
        features = self.backbone(crops)
        deep = fn.interpolate(self.lateral32(features[32]), scale_factor=2.0, mode="nearest")
        x = self.mix16(fn.relu(self.lateral16(features[16]) + deep))
        coarse = self.coarse(x)
        seen = torch.softmax(coarse.float().flatten(2), -1).reshape(coarse.shape)
        x = x + self.feedback(seen.to(x.dtype))
        for block in self.attention:
            x = block(x)
        whole = self.visible_whole(x.mean((2, 3)))
        x = fn.interpolate(self.to8(x), scale_factor=2.0, mode="nearest")
        x = self.mix8(fn.relu(x + self.lateral8(features[8])))
        x = fn.interpolate(self.to4(x), scale_factor=2.0, mode="nearest")
        x = fn.relu(x + self.lateral4(features[4]))
        x = fn.relu(self.mix4(x))
        fine = self.fine(x)
        there = torch.softmax(fine.float().flatten(2), -1).detach()
        visible = (there * self.visible_map(x).float().flatten(2)).sum(-1) + whole.float()
        return Outputs(fine, coarse, visible)

    def heatmaps(self, outputs: Outputs) -> Tensor:
        """visibility x distribution, (n, 20, S/4, S/4); the sum over the cells is the probability of being visible."""
        fine = outputs.fine.float()
        spread = torch.softmax(fine.flatten(2), -1).reshape(-1, COUNT, int(fine.shape[2]), int(fine.shape[3]))
        return spread * torch.sigmoid(outputs.visible)[:, :, None, None]

    def forward(self, crops: Tensor) -> Tensor:
        """Heatmaps at a quarter of the crops' size, whatever size the network works at inside."""
        side = int(crops.shape[-1])
        inner = self.options.inner_size or side
        smaller = inner < side
        if smaller:
            crops = fn.interpolate(crops, size=(inner, inner), mode="bilinear", align_corners=False)
        if self.options.mirror:
            crops = torch.cat([crops, crops.flip(-1)])
        heat = self.heatmaps(self.logits(crops))
        if self.options.mirror:
            both = heat.reshape(2, -1, *(int(extent) for extent in heat.shape[1:]))
            heat = (both[0] + both[1].flip(-1)[:, list(MIRROR)]) * 0.5
        if smaller:
            share = (inner / side) ** 2  # a cell of the larger map holds so much of what the smaller one's held
            heat = fn.interpolate(heat, size=(side // STRIDE, side // STRIDE), mode="bilinear", align_corners=False) * share
        return heat

    def parameter_groups(self, backbone_rate: float, head_rate: float, decay: float) -> list[dict[str, object]]:
        """Groups for AdamW: backbone and head, each with and without weight decay (none on vectors)."""
        groups: list[dict[str, object]] = []
        named = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        for inside, rate in ((True, backbone_rate), (False, head_rate)):
            for matrix in (True, False):
                chosen = [p for name, p in named if name.startswith("backbone.") == inside and (p.ndim > 1) == matrix]
                groups.append({"params": chosen, "lr": rate, "base_lr": rate, "weight_decay": decay if matrix else 0.0})
        return groups

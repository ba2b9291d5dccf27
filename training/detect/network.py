"""The detector's network: YOLOX-nano with folded batch norms, in torch.

Architecture after Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (arXiv:2107.08430): a CSP backbone of depthwise
convolutions (width 0.25, depth 0.33), a path-aggregation neck and a decoupled head on strides 8, 16 and 32.

Batch norms do not exist here: the published COCO file has them folded into the convolutions, so every `Conv` is a
convolution with a bias followed by SiLU. That makes fine-tuning faster on a CPU and leaves nothing to fold at export.

The layers are declared in the order in which the published ONNX graph runs them; `load_coco` relies on that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

#: COCO's 80 classes hold these at the given rows of the class head; the detector trains on them so that the features
#: keep telling horses from other animals, and drops all but `horse` at export.
COCO_ROWS: dict[str, int] = {
    "horse": 17,
    "cow": 19,
    "sheep": 18,
    "dog": 16,
    "cat": 15,
    "person": 0,
    "bird": 14,
    "elephant": 20,
    "bear": 21,
    "zebra": 22,
    "giraffe": 23,
}
CLASSES: tuple[str, ...] = tuple(COCO_ROWS)
HORSE = CLASSES.index("horse")
#: Classes whose outputs stay in the exported network, as evidence against a horse.
RIVALS = tuple(CLASSES.index(name) for name in ("cow", "sheep", "dog", "cat", "person"))
STRIDES: tuple[int, ...] = (8, 16, 32)
#: What goes into an activation is made this much larger by `harden`. Hard-swish of 1.08 x, by 1.08, is nearer to SiLU of x
#: than hard-swish of x is: with the weights of a network that was trained with SiLU it loses a fifth of its average precision,
#: not half.
STRETCH = 1.08
#: Row and column of the four pixels of a 2×2 block, in the order in which YOLOX stacks them as channels.
BLOCK = ((0, 0), (1, 0), (0, 1), (1, 1))


class Raw(NamedTuple):
    """What the head says about each of the M cells of a batch of B pictures.

    `boxes` (B, M, 4): corners x1, y1, x2, y2 in input pixels. `objectness` (B, M) and `classes` (B, M, C): logits.
    """

    boxes: Tensor
    objectness: Tensor
    classes: Tensor


class Conv(nn.Module):
    """Convolution with bias, and SiLU or hard-swish (`set_hard`); `same` padding for odd kernels."""

    def __init__(self, cin: int, cout: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(cin, cout, kernel, stride, (kernel - 1) // 2, groups=groups)
        self.activation: nn.Module = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.activation(self.conv(x))
        return y


def space_to_depth(x: Tensor) -> Tensor:
    """(B, 3, H, W) to (B, 12, H/2, W/2), in YOLOX's order of the four pixels of a 2×2 block."""
    return torch.cat([x[..., row::2, column::2] for row, column in BLOCK], 1)


class Focus(Conv):
    """The first convolution, on the picture's 2×2 blocks as 12 channels."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(space_to_depth(x))


def depthwise(cin: int, cout: int, stride: int = 1) -> nn.Sequential:
    """A 3×3 convolution of each channel followed by a 1×1 across channels."""
    return nn.Sequential(Conv(cin, cin, 3, stride, cin), Conv(cin, cout))


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool) -> None:
        super().__init__()
        self.squeeze = Conv(channels, channels)
        self.spread = depthwise(channels, channels)
        self.shortcut = shortcut
        self.summed: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.spread(self.squeeze(x))
        if self.shortcut:
            y = self.summed(x + y)
        return y


class CrossStage(nn.Module):
    """Cross-stage-partial block: half of the channels through bottlenecks, half straight on."""

    def __init__(self, cin: int, cout: int, depth: int = 1, shortcut: bool = True) -> None:
        super().__init__()
        half = cout // 2
        self.main = Conv(cin, half)
        self.side = Conv(cin, half)
        self.body = nn.Sequential(*(Bottleneck(half, shortcut) for _ in range(depth)))
        self.joined: nn.Module = nn.Identity()
        self.join = Conv(2 * half, cout)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.join(self.joined(torch.cat([self.body(self.main(x)), self.side(x)], 1)))
        return y


class Pyramid(nn.Module):
    """Spatial pyramid pooling: windows of 5, 9 and 13 cells beside the cell itself, each the last one's widened by 4."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.squeeze = Conv(channels, half)
        self.pooled: nn.Module = nn.Identity()
        self.joined: nn.Module = nn.Identity()
        self.join = Conv(4 * half, channels)

    def forward(self, x: Tensor) -> Tensor:
        pooled = [self.squeeze(x)]
        for _ in range(3):
            pooled.append(self.pooled(nnf.max_pool2d(pooled[-1], 5, 1, 2)))
        y: Tensor = self.join(self.joined(torch.cat(pooled, 1)))
        return y


class Head(nn.Module):
    """The decoupled head of one stride: `classes`, then `box` and `objectness` from a second branch."""

    def __init__(self, cin: int, width: int, classes: int) -> None:
        super().__init__()
        self.stem = Conv(cin, width)
        # Declared in the order the published graph runs them, see the module's docstring.
        self.class_body = nn.Sequential(depthwise(width, width), depthwise(width, width))
        self.class_out = nn.Conv2d(width, classes, 1)
        self.box_body = nn.Sequential(depthwise(width, width), depthwise(width, width))
        self.box_out = nn.Conv2d(width, 4, 1)
        self.object_out = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.stem(x)
        y = self.box_body(x)
        return self.box_out(y), self.object_out(y), self.class_out(self.class_body(x))


def upsample(x: Tensor) -> Tensor:
    return nnf.interpolate(x, scale_factor=2.0, mode="nearest")


class Nano(nn.Module):
    """YOLOX-nano. Input: (B, 3, H, W) float BGR 0–255, H and W multiples of 32. Output: `Raw`."""

    def __init__(self, classes: int = len(CLASSES), width: int = 16) -> None:
        super().__init__()
        w = width
        self.classes = classes
        self.stem: Conv = Focus(12, w, 3)
        self.dark2 = nn.Sequential(depthwise(w, 2 * w, 2), CrossStage(2 * w, 2 * w, 1))
        self.dark3 = nn.Sequential(depthwise(2 * w, 4 * w, 2), CrossStage(4 * w, 4 * w, 3))
        self.dark4 = nn.Sequential(depthwise(4 * w, 8 * w, 2), CrossStage(8 * w, 8 * w, 3))
        self.dark5 = nn.Sequential(depthwise(8 * w, 16 * w, 2), Pyramid(16 * w), CrossStage(16 * w, 16 * w, 1, shortcut=False))
        self.lateral5 = Conv(16 * w, 8 * w)
        self.down4 = CrossStage(16 * w, 8 * w, 1, shortcut=False)
        self.lateral4 = Conv(8 * w, 4 * w)
        self.down3 = CrossStage(8 * w, 4 * w, 1, shortcut=False)
        self.stride3 = depthwise(4 * w, 4 * w, 2)
        self.up4 = CrossStage(8 * w, 8 * w, 1, shortcut=False)
        self.stride4 = depthwise(8 * w, 8 * w, 2)
        self.up5 = CrossStage(16 * w, 16 * w, 1, shortcut=False)
        self.heads = nn.ModuleList(Head(c * w, 4 * w, classes) for c in (4, 8, 16))
        # What is enlarged, and what is joined, passes through these; `integers.prepare` makes them round.
        self.raised5: nn.Module = nn.Identity()
        self.joined_m4: nn.Module = nn.Identity()
        self.joined_p4: nn.Module = nn.Identity()
        self.joined_p5: nn.Module = nn.Identity()

    def early(self, x: Tensor) -> Tensor:
        """The stem and first stage (stride 4): edges and textures, which stay frozen in fine-tuning."""
        return self.dark2(self.stem(x))  # type: ignore[no-any-return]

    def late(self, x: Tensor) -> Raw:
        """From `early`'s features to the decoded outputs."""
        c3 = self.dark3(x)
        c4 = self.dark4(c3)
        c5 = self.dark5(c4)
        l5 = self.lateral5(c5)
        m4 = self.lateral4(self.down4(self.joined_m4(torch.cat([self.raised5(upsample(l5)), c4], 1))))
        p3 = self.down3(torch.cat([upsample(m4), c3], 1))
        p4 = self.up4(self.joined_p4(torch.cat([self.stride3(p3), m4], 1)))
        p5 = self.up5(self.joined_p5(torch.cat([self.stride4(p4), l5], 1)))
        boxes, objects, classes = [], [], []
        for stride, head, p in zip(STRIDES, self.heads, (p3, p4, p5), strict=True):
            box, thing, kind = (out.float() for out in head(p))
            boxes.append(decode(box, stride))
            objects.append(thing.flatten(1))
            classes.append(kind.flatten(2))
        return Raw(torch.cat(boxes, 1), torch.cat(objects, 1), torch.cat(classes, 2).transpose(1, 2))

    def forward(self, x: Tensor) -> Raw:
        return self.late(self.early(x))


def cells(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Top-left corners (M, 2) in pixels and strides (M, 1) of all cells of an H×W input, finest stride first."""
    corners, strides = [], []
    for stride in STRIDES:
        y, x = torch.meshgrid(torch.arange(height // stride), torch.arange(width // stride), indexing="ij")
        grid = torch.stack([x, y], 2).reshape(-1, 2).float()
        corners.append(grid * stride)
        strides.append(torch.full((len(grid), 1), float(stride)))
    return torch.cat(corners), torch.cat(strides)


def decode(raw: Tensor, stride: int) -> Tensor:
    """A head's boxes (B, 4, H, W), offset from the cell and log size in strides, to corners in pixels (B, H·W, 4).

    Sizes are read off the tensor and stay free in a traced graph.
    """
    y, x = torch.meshgrid(
        torch.arange(raw.shape[2], device=raw.device), torch.arange(raw.shape[3], device=raw.device), indexing="ij"
    )
    centre = (raw[:, :2] + torch.stack([x, y])[None]) * stride
    half = raw[:, 2:].clamp(max=7.0).exp() * (stride / 2)
    return torch.cat([centre - half, centre + half], 1).flatten(2).transpose(1, 2)


def convolutions(network: nn.Module) -> Iterator[nn.Conv2d]:
    """All convolutions in the order in which they were declared."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            yield module


def load_coco(path: Path, rows: tuple[int, ...] | None = tuple(COCO_ROWS.values())) -> Nano:
    """The published COCO weights (`yolox_nano_coco.onnx`, Apache-2.0, Megvii) as a `Nano`.

    `rows` picks rows of the 80-class head; None keeps all 80. Raises ValueError when the file is not YOLOX-nano.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    tensors = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    found = [[tensors[name] for name in node.input[1:3]] for node in graph.node if node.op_type == "Conv"]
    network = Nano(80)
    targets = list(convolutions(network))
    if len(found) != len(targets):
        raise ValueError(f"{path.name} has {len(found)} convolutions, YOLOX-nano has {len(targets)}: not the COCO file.")
    with torch.no_grad():
        for (weight, bias), target in zip(found, targets, strict=True):
            if target.weight.shape != weight.shape or target.bias is None:
                raise ValueError(
                    f"{path.name}: a convolution of shape {weight.shape} stands where {tuple(target.weight.shape)} should."
                )
            target.weight.copy_(torch.from_numpy(np.array(weight)))
            target.bias.copy_(torch.from_numpy(np.array(bias)))
    if rows is not None:
        keep_classes(network, rows)
    return network


def set_hard(network: nn.Module, hard: bool = True) -> None:
    """Use hard-swish, or SiLU, everywhere; the weights stay."""
    for module in network.modules():
        if isinstance(module, Conv):
            module.activation = nn.Hardswish() if hard else nn.SiLU()


@torch.no_grad()
def harden(network: Nano) -> None:
    """Put hard-swish in the place of SiLU, in half the time on a processor; `copying.train` teaches the weights its shape.

    All that goes into activations, and so all that comes out of them, becomes `STRETCH` times as large: biases and the first
    convolution's weights are multiplied by it, the last ones' weights divided.
    """
    if is_hard(network):
        raise ValueError("the network has hard-swish already")
    set_hard(network)
    network.stem.conv.weight *= STRETCH
    for module in network.modules():
        if isinstance(module, Conv):
            assert module.conv.bias is not None
            module.conv.bias *= STRETCH
        elif isinstance(module, Head):
            for out in (module.box_out, module.object_out, module.class_out):
                out.weight /= STRETCH


def is_hard(network: nn.Module) -> bool:
    """Whether `harden` was called on it."""
    return not any(isinstance(module, nn.SiLU) for module in network.modules())


def keep_classes(network: Nano, rows: tuple[int, ...]) -> None:
    """Cut the class head down to the given rows, in that order."""
    index = torch.tensor(rows)
    for head in network.heads:
        assert isinstance(head, Head)
        old = head.class_out
        assert old.bias is not None
        new = nn.Conv2d(old.in_channels, len(rows), 1)
        new.weight = nn.Parameter(old.weight.detach()[index].clone())
        new.bias = nn.Parameter(old.bias.detach()[index].clone())
        head.class_out = new
    network.classes = len(rows)


def fold_focus(network: Nano) -> None:
    """Put a 6×6 convolution of stride 2 in the place of the first 3×3 one on 2×2 blocks: the same sums, in place."""
    old = network.stem.conv
    assert old.bias is not None
    new = Conv(old.in_channels // 4, old.out_channels, 6, 2)
    new.activation = network.stem.activation
    with torch.no_grad():
        for block, (row, column) in enumerate(BLOCK):
            new.conv.weight[:, :, row::2, column::2] = old.weight[:, 3 * block : 3 * block + 3]
        assert new.conv.bias is not None
        new.conv.bias.copy_(old.bias)
    network.stem = new

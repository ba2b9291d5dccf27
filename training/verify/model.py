"""The verifier: the first blocks of EfficientNet-Lite0 as ImageNet left them, and a small head over what they see.

ImageNet knows 118 breeds of dogs beside cats, cattle, sheep and horses, and the features that tell them apart are worth
more than what a few thousand crops can teach: trained on, the blocks got worse at pictures they had not seen. The first block
of stride 32 makes the difference; without it the head tells hardly more than the detector knows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.pose.model import Backbone, ModelOptions
from training.pose.pretrained import load_imagenet
from training.verify.collect import KINDS

BLOCKS = 12
"""Blocks that are kept: those up to the first at stride 32. The later ones hold three quarters of the weights."""
WIDTH = 192
"""Channels of the last block kept."""
HIDDEN = 64
"""Width of the head."""


class Verifier(nn.Module):
    """RGB crops (N, 3, 128, 160), 0..255, to logits (N,) of a horse against everything else."""

    def __init__(self, pretrained: bool = True, dropped: float = 0.3) -> None:
        super().__init__()
        backbone = Backbone(ModelOptions())
        if pretrained:
            load_imagenet(backbone)
        self.stem = backbone.stem
        self.blocks = nn.Sequential(*list(backbone.blocks)[:BLOCKS])
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        self.norm = nn.BatchNorm1d(2 * WIDTH, affine=False)
        self.head = nn.Sequential(nn.Linear(2 * WIDTH, HIDDEN), nn.ReLU(), nn.Dropout(dropped), nn.Linear(HIDDEN, len(KINDS)))

    def features(self, crops: Tensor) -> Tensor:
        """Mean and maximum (N, 384) of the last map."""
        x = (crops - 127.0) / 128.0
        if not torch.jit.is_tracing():  # type: ignore[no-untyped-call, attr-defined]
            x = x.contiguous(memory_format=torch.channels_last)  # four times faster on a CPU
        x = self.blocks(fn.relu6(self.stem(x)))
        return torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)

    def kinds(self, features: Tensor) -> Tensor:
        """Logits (N, 7) of `collect.KINDS`."""
        return self.head(self.norm(features))  # type: ignore[no-any-return]

    def forward(self, crops: Tensor) -> Tensor:
        kinds = self.kinds(self.features(crops))
        return kinds[:, 0] - torch.logsumexp(kinds[:, 1:], 1)

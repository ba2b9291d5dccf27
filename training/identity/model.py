"""The embedder: EfficientNet-Lite0 up to stride 16 kept as ImageNet left it, its last stages and a small head trained."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.pose.model import Backbone, ModelOptions
from training.pose.pretrained import load_imagenet

SIZE = 256
FROZEN = 11
"""Blocks that are not trained: up to the 112 channels at stride 16. Their output is computed once for every training crop."""
MIDDLE, TOP = 112, 320


class HorseEmbedder(nn.Module):
    """RGB crops (N, 3, 128, 160), 0..255, to unit vectors (N, 256).

    The head sees the mean and the maximum of the last feature map, and mean and spread of the frozen one: the latter keep the
    coat's colour and texture, which the last stages of a classifier throw away.
    """

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        self.backbone = Backbone(ModelOptions(frozen_blocks=FROZEN))
        if pretrained:
            load_imagenet(self.backbone)
        self.mix = nn.Linear(2 * TOP + 2 * MIDDLE, 512)
        self.norm = nn.BatchNorm1d(512)
        self.out = nn.Linear(512, SIZE)

    def trunk(self, crops: Tensor) -> Tensor:
        """Frozen features (N, 112, 8, 10)."""
        x = fn.relu6(self.backbone.stem((crops - 127.0) / 128.0))
        for block in list(self.backbone.blocks)[:FROZEN]:
            x = block(x)
        return x

    def tail(self, features: Tensor) -> Tensor:
        """Unit vectors from frozen features."""
        x = features
        for block in list(self.backbone.blocks)[FROZEN:]:
            x = block(x)
        mean = features.mean((2, 3))
        spread = (features - mean[:, :, None, None]).abs().mean((2, 3))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3)), mean, spread], 1)
        return fn.normalize(self.out(fn.relu(self.norm(self.mix(pooled)))), dim=1)

    def forward(self, crops: Tensor) -> Tensor:
        return self.tail(self.trunk(crops))


def contrast(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (Khosla et al., 2020) over a batch of unit vectors (n, d) with identities (n,)."""
    similarity = embeddings @ embeddings.T / temperature
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels[None, :]) & ~itself
    similarity = similarity.masked_fill(itself, -1e4)
    logarithm = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    counts = same.sum(1).clamp(min=1)
    return -((logarithm * same).sum(1) / counts)[same.any(1)].mean()

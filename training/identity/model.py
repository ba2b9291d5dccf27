"""The embedder: ImageNet's EfficientNet-Lite0 with a linear discriminant of animals; beside it a branch that is trained."""

from __future__ import annotations

import copy

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

    What is handed out is the still branch: a linear discriminant, fitted in closed form, on features of the untouched
    backbone. The trained branch (`tail`) learns the last stages as well; with the few horses there are it overfits, see
    docs/models/horse-embedder.md.
    """

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        self.backbone = Backbone(ModelOptions(frozen_blocks=FROZEN))
        if pretrained:
            load_imagenet(self.backbone)
        self.still = nn.ModuleList(copy.deepcopy(block) for block in list(self.backbone.blocks)[FROZEN:])
        self.still.requires_grad_(False)
        self.mix = nn.Linear(2 * TOP + 2 * MIDDLE, 512)
        self.norm = nn.BatchNorm1d(512)
        self.out = nn.Linear(512, SIZE)
        self.plain = nn.Linear(2 * TOP + 2 * MIDDLE, SIZE).requires_grad_(False)

    def trunk(self, crops: Tensor) -> Tensor:
        """Frozen features (N, 112, 8, 10)."""
        x = fn.relu6(self.backbone.stem((crops - 127.0) / 128.0))
        for block in list(self.backbone.blocks)[:FROZEN]:
            x = block(x)
        return x

    def run_trained(self, features: Tensor) -> Tensor:
        """The trained last stages."""
        for block in list(self.backbone.blocks)[FROZEN:]:
            features = block(features)
        return features

    def run_still(self, features: Tensor) -> Tensor:
        """The last stages as ImageNet left them."""
        for block in self.still:
            features = block(features)
        return features

    def pooled(self, features: Tensor, top: Tensor) -> Tensor:
        """Mean and maximum of the last map, mean and spread of the frozen one: the latter keep a coat's colour and texture."""
        mean = features.mean((2, 3))
        spread = (features - mean[:, :, None, None]).abs().mean((2, 3))
        return torch.cat([top.mean((2, 3)), top.amax((2, 3)), mean, spread], 1)

    def head(self, pooled: Tensor) -> Tensor:
        """Unit vectors of the trained branch."""
        return fn.normalize(self.out(fn.relu(self.norm(self.mix(pooled)))), dim=1)

    def tail(self, features: Tensor) -> Tensor:
        """What is trained: unit vectors from frozen features."""
        return self.head(self.pooled(features, self.run_trained(features)))

    def forward(self, crops: Tensor) -> Tensor:
        features = self.trunk(crops)
        return fn.normalize(self.plain(self.pooled(features, self.run_still(features))), dim=1)


def contrast(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (Khosla et al., 2020) over a batch of unit vectors (n, d) with identities (n,)."""
    similarity = embeddings @ embeddings.T / temperature
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels[None, :]) & ~itself
    similarity = similarity.masked_fill(itself, -1e4)
    logarithm = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    counts = same.sum(1).clamp(min=1)
    return -((logarithm * same).sum(1) / counts)[same.any(1)].mean()

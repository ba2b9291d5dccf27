"""The embedder: EfficientNet-Lite0 trained to tell animals apart, and beside it the same stages as ImageNet left them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from training.pose.model import Backbone, ModelOptions
from training.pose.pretrained import load_imagenet

TRAINED, STILL = 128, 128
"""How many of the 256 numbers come from the trained branch and from the untouched one."""
HEAD = 192
"""Length of the trained branch's vectors while it is trained; `combine.assembled` keeps the directions that matter."""
FROZEN = 5
"""The stem and so many blocks are not trained: edges and colours up to stride 8."""
AFTER_MIDDLE = 11
"""Blocks before this one work at stride 16 or finer."""
LOW, MIDDLE, TOP = 40, 112, 320
POOLED, POOLED_STILL = 2 * LOW + 3 * MIDDLE + 2 * TOP, 2 * LOW + 3 * MIDDLE


class TrainedBranch(nn.Module):
    """RGB crops (N, 3, 128, 160), 0..255, to unit vectors (N, 192): the backbone from stride 8 on, and a linear head."""

    def __init__(self, pretrained: bool = True, size: int = HEAD) -> None:
        super().__init__()
        self.backbone = Backbone(ModelOptions(frozen_blocks=FROZEN))
        if pretrained:
            load_imagenet(self.backbone)
        self.norm = nn.BatchNorm1d(POOLED, affine=False)
        self.out = nn.Linear(POOLED, size)

    @property
    def late(self) -> list[nn.Module]:
        """The blocks that are trained."""
        return list(self.backbone.blocks)[FROZEN:]

    def trunk(self, crops: Tensor) -> Tensor:
        """What is not trained: features (N, 40, 16, 20) at stride 8."""
        x = (crops - 127.0) / 128.0
        if x.device.type == "cpu" and not torch.jit.is_tracing():  # type: ignore[no-untyped-call, attr-defined]
            x = x.contiguous(memory_format=torch.channels_last)  # four times faster here
        x = fn.relu6(self.backbone.stem(x))
        for block in list(self.backbone.blocks)[:FROZEN]:
            x = block(x)
        return x

    def head(self, features: Tensor) -> Tensor:
        """Unit vectors from pooled features of the trained blocks."""
        return fn.normalize(self.out(self.norm(features.float())), dim=1)

    def forward(self, crops: Tensor) -> Tensor:
        return self.head(pooled(self.trunk(crops), self.late))

    def in_pieces(self, crops: Tensor, untrained: int = 16, trained: int = 60) -> Tensor:
        """The same for a training batch, a third faster on a CPU: pieces whose maps stay in its cache."""
        with torch.no_grad():
            low = torch.cat([self.trunk(piece) for piece in torch.split(crops, untrained)])
        return self.head(torch.cat([pooled(piece, self.late) for piece in torch.split(low, trained)]))


class HorseEmbedder(nn.Module):
    """RGB crops (N, 3, 128, 160), 0..255, to unit vectors (N, 256).

    128 numbers come from the trained branch and 128 from the blocks up to stride 16 as ImageNet left them: the later ones
    would double the file. Each part has unit length before they are put together, so that cosine similarity is
    (1 - share) x that of the trained part + share x that of the other. The first tells horses apart; the second keeps what
    ImageNet's features know of photographs.
    """

    share: Tensor

    def __init__(self, branch: TrainedBranch, still: nn.ModuleList) -> None:
        super().__init__()
        self.branch = branch
        self.still = still.requires_grad_(False)
        self.plain = nn.Linear(POOLED_STILL, STILL).requires_grad_(False)
        self.register_buffer("share", torch.tensor(0.0))

    def parts(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """The trained part and the untouched one, each of unit length."""
        low = self.branch.trunk(crops)
        return self.branch.head(pooled(low, self.branch.late)), fn.normalize(
            self.plain(pooled_middle(low, self.still)[0].float()), dim=1
        )

    def forward(self, crops: Tensor) -> Tensor:
        trained, still = self.parts(crops)
        return torch.cat([trained * (1 - self.share) ** 0.5, still * self.share**0.5], 1)


def pooled(low: Tensor, blocks: Sequence[nn.Module]) -> Tensor:
    """(N, 1056) from features at stride 8: what ``pooled_middle`` gives, and mean and maximum of the last map."""
    features, x = pooled_middle(low, blocks[: AFTER_MIDDLE - FROZEN])
    for block in blocks[AFTER_MIDDLE - FROZEN :]:
        x = block(x)
    return torch.cat([features, x.mean((2, 3)), x.amax((2, 3))], 1)


def pooled_middle(low: Tensor, blocks: Iterable[nn.Module]) -> tuple[Tensor, Tensor]:
    """(N, 416) from features at stride 8 and the map at stride 16 they come from: mean and spread of both maps, which keep a
    coat's colour and texture, and the second's maximum, which small marks reach.
    """
    x = low
    for block in blocks:
        x = block(x)
    return torch.cat([*_moments(low), *_moments(x), x.amax((2, 3))], 1), x


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    mean = x.mean((2, 3))
    return mean, (x - mean[:, :, None, None]).abs().mean((2, 3))


def contrast(embeddings: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (Khosla et al., 2020) over a batch of unit vectors (n, d) with identities (n,)."""
    similarity = embeddings @ embeddings.T / temperature
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels[None, :]) & ~itself
    similarity = similarity.masked_fill(itself, -1e4)
    logarithm = similarity - torch.logsumexp(similarity, dim=1, keepdim=True)
    counts = same.sum(1).clamp(min=1)
    return -((logarithm * same).sum(1) / counts)[same.any(1)].mean()


class Centres(nn.Module):
    """Where each identity was when last seen; each crop is to be nearest to its own (cosine softmax with a margin, as CosFace).

    Unlike ``contrast`` it compares with all identities at every step, not only with those of the batch. The vectors are not
    learnt but follow what the network says (as in cluster contrast, Dai et al., 2022): with thousands of horses each comes too
    seldom for a gradient to bring a random vector anywhere.
    """

    vectors: Tensor
    seen: Tensor

    def __init__(self, count: int, size: int, scale: float = 20.0, margin: float = 0.15, kept: float = 0.4) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(count, size))
        self.register_buffer("seen", torch.zeros(count, dtype=torch.bool))
        self.scale, self.margin, self.kept = scale, margin, kept

    def forward(self, embeddings: Tensor, numbers: Tensor) -> Tensor:
        """Mean loss of unit vectors (n, size) of the identities ``numbers`` (n,) among all seen before; 0 when none was."""
        old = self.seen[numbers]
        if not bool(old.any()):
            return embeddings.sum() * 0.0
        known = torch.nonzero(self.seen)[:, 0]
        cosine = embeddings[old] @ self.vectors[known].T
        labels = torch.searchsorted(known, numbers[old])
        target = fn.one_hot(labels, len(known)).to(cosine.dtype)
        return fn.cross_entropy(self.scale * (cosine - self.margin * target), labels)

    @torch.no_grad()
    def follow(self, embeddings: Tensor, numbers: Tensor) -> None:
        """Move the centres of the batch's identities to its vectors."""
        for number in torch.unique(numbers):
            mean = embeddings[numbers == number].mean(0)
            share = self.kept if bool(self.seen[number]) else 0.0
            self.vectors[number] = fn.normalize(share * self.vectors[number] + (1 - share) * mean, dim=0)
            self.seen[number] = True

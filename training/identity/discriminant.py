"""A linear discriminant over features of the untouched last stages: closed form, hard to overfit."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import torch

from training.identity.model import HorseEmbedder


def discriminant(features: np.ndarray, identities: np.ndarray, size: int, shrink: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """Weights (size, d) and bias (size,) of Fisher's discriminant with its within-class covariance shrunk by ``shrink``.

    Each direction is weighted by the fourth root of its ratio of variances, so that the better ones count for more.
    """
    centre, spread = features.mean(0), features.std(0) + 1e-6
    rows = (features - centre) / spread
    names, label = np.unique(identities, return_inverse=True)
    means = np.zeros((len(names), rows.shape[1]))
    np.add.at(means, label, rows)
    means /= np.bincount(label)[:, None]
    inside = rows - means[label]
    within = inside.T @ inside / len(rows)
    within = within * (1 - shrink) + shrink * np.eye(len(within)) * np.trace(within) / len(within)
    between = (means - means.mean(0)).T @ (means - means.mean(0)) / len(means)
    d = len(within)
    ratios, vectors = scipy.linalg.eigh(between, within, subset_by_index=[d - size, d - 1])
    weights = (vectors * np.maximum(ratios, 1e-9) ** 0.25)[:, ::-1].T / spread
    return weights, -weights @ centre


@torch.no_grad()
def fit_still(model: HorseEmbedder, features: np.ndarray, identities: np.ndarray) -> None:
    """Fill the model's linear layer from cached frozen features (n, 112, 8, 10) and their identities."""
    model.eval()
    pooled = []
    for start in range(0, len(features), 128):
        part = torch.from_numpy(features[start : start + 128].astype(np.float32))
        with torch.autocast("cpu", torch.bfloat16):
            still = model.run_still(part)
        pooled.append(model.pooled(part, still.float()).numpy())
    weights, bias = discriminant(np.concatenate(pooled).astype(np.float64), identities, model.plain.out_features)
    model.plain.weight.copy_(torch.from_numpy(weights).float())
    model.plain.bias.copy_(torch.from_numpy(bias).float())

"""What retrieval figures mean: rank-1, average precision, and how similar the same and different animals are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from barnhand.identity.decision import Calibration, leads, probability

Floats32 = npt.NDArray[np.float32]
QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def retrieval(
    queries: Floats32, gallery: Floats32, query_names: list[str], gallery_names: list[str], same_row: bool
) -> dict[str, float]:
    """Rank-1 and mAP of cosine similarity; ``same_row``: the gallery is the queries, and a row does not find itself."""
    similarity = queries @ gallery.T
    if same_row:
        np.fill_diagonal(similarity, -2.0)
    truth = np.array(query_names)[:, None] == np.array(gallery_names)[None, :]
    if same_row:
        np.fill_diagonal(truth, False)
    usable = truth.any(1)
    order = np.argsort(-similarity[usable], axis=1)
    hits = np.take_along_axis(truth[usable], order, 1)
    ranks = np.arange(1, hits.shape[1] + 1)
    precision = np.cumsum(hits, 1) / ranks
    average = (precision * hits).sum(1) / hits.sum(1)
    return {"queries": int(usable.sum()), "rank1": float(hits[:, 0].mean()), "mAP": float(average.mean())}


def distributions(embeddings: Floats32, names: list[str]) -> dict[str, Any]:
    """Quantiles of cosine similarity between crops of the same and of different identities."""
    similarity = embeddings @ embeddings.T
    label = np.array(names)
    upper = np.triu(np.ones(similarity.shape, bool), 1)
    same = label[:, None] == label[None, :]
    return {
        "quantiles": list(QUANTILES),
        "same": [round(float(v), 4) for v in np.quantile(similarity[same & upper], QUANTILES)],
        "different": [round(float(v), 4) for v in np.quantile(similarity[~same & upper], QUANTILES)],
    }


def as_tracks(
    queries: Floats32, gallery: Floats32, query_names: list[str], gallery_names: list[str], glimpses: int = 4
) -> tuple[Floats32, npt.NDArray[np.bool_]]:
    """Similarities (t, h) of tracks of ``glimpses`` pictures to horses, as the runtime's gallery takes them: the best of a
    horse's looks for each glimpse, then the mean over the glimpses. And which of them are of the same horse.
    """
    similarity = queries @ gallery.T
    owners = np.array(gallery_names)
    horses = sorted(set(gallery_names))
    best = np.stack([similarity[:, owners == horse].max(1) for horse in horses], 1)
    names = np.array(query_names)
    rows, truth = [], []
    for name in sorted(set(query_names)):
        own = np.flatnonzero(names == name)
        for part in np.array_split(own, max(len(own) // glimpses, 1)):
            rows.append(best[part].mean(0))
            truth.append([horse == name for horse in horses])
    return np.array(rows, np.float32), np.array(truth)


def named(similarity: Floats32, same: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Rank-1 and mAP of tracks (t, h) whose horse is among the h; a track has one right answer, so mAP is 1 / its rank."""
    known = same.any(1)
    order = np.argsort(-similarity[known], axis=1)
    ranks = np.take_along_axis(same[known], order, 1).argmax(1) + 1
    return {"queries": int(known.sum()), "rank1": float((ranks == 1).mean()), "mAP": float((1 / ranks).mean())}


def spreads(similarity: Floats32, same: npt.NDArray[np.bool_]) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of the similarity of the same and of different animals: what the runtime calibrates on."""
    return {
        name: {"mean": round(float(similarity[part].mean()), 4), "std": round(float(similarity[part].std()), 4)}
        for name, part in (("same", same), ("different", ~same))
    }


def readings(similarity: Floats32, same: npt.NDArray[np.bool_], distances: dict[str, dict[str, float]]) -> dict[str, float]:
    """What the runtime makes of tracks' similarities (t, h) when it calibrates from ``distances``: the shares of tracks given
    their own name (at its 0.6), nearer to a wrong horse, and, their own horse taken out of the gallery, given a wrong name as
    probable (0.6) and as confirmed (0.9).
    """
    calibration = Calibration.of_distances(distances)
    known = same.any(1)
    similarity, same = similarity[known], same[known]
    given = probability(calibration.log_odds(similarity, leads(similarity)))
    wrong = []
    for row, own in zip(similarity, same, strict=True):
        rest = row[~own][None]
        wrong.append(float(probability(calibration.log_odds(rest, leads(rest))).max()))
    return {
        "own name": float((given[same] >= 0.6).mean()),
        "nearer to another": float((given.argmax(1) != same.argmax(1)).mean()),
        "stranger named, probable": float((np.array(wrong) >= 0.6).mean()),
        "stranger named, confirmed": float((np.array(wrong) >= 0.9).mean()),
    }


def thresholds(embeddings: Floats32, names: list[str], wrong: tuple[float, float] = (0.01, 0.10)) -> dict[str, float]:
    """Similarities to the nearest crop above which a name is confirmed (1 % of nearest neighbours wrong) or probable (10 %).

    Measured as open-set: every other identity is taken out of the gallery in turn, so that unknown horses are asked for too.
    """
    similarity = embeddings @ embeddings.T
    np.fill_diagonal(similarity, -2.0)
    label = np.array(names)
    known = np.unique(label)[::2]
    gallery = np.isin(label, known)
    best = similarity[:, gallery]
    top = best.argmax(1)
    value = best[np.arange(len(label)), top]
    right = label[gallery][top] == label
    order = np.argsort(-value)
    rate = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    out = {}
    for name, limit in zip(("confirmed", "probable"), wrong, strict=True):
        fine = np.flatnonzero(rate <= limit)
        out[name] = round(float(value[order][fine[-1]]), 4) if len(fine) else 1.0
    return out

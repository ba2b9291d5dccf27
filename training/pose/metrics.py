"""PCK, groups, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.pose.skeleton import GROUPS

Floats = npt.NDArray[np.float32]


def relative_errors(found: Floats, true: Floats, longest: Floats) -> Floats:
    """(n, 20) distance over the longest box side; all in the same pixels."""
    return np.asarray(np.linalg.norm(found - true, axis=-1) / longest[:, None], np.float32)


def pck(errors: Floats, labelled: npt.NDArray[np.bool_], threshold: float, points: tuple[int, ...] | None = None) -> float:
    """Share of labelled points (of these numbers) whose relative error is below the threshold."""
    chosen = list(points) if points is not None else list(range(errors.shape[1]))
    hits = (errors[:, chosen] < threshold)[labelled[:, chosen]]
    return float(hits.mean()) if hits.size else float("nan")


def pck_table(errors: Floats, labelled: npt.NDArray[np.bool_]) -> dict[str, float]:
    """PCK@0.1 and @0.05 overall, PCK@0.1 of each group."""
    table = {"pck10": pck(errors, labelled, 0.1), "pck05": pck(errors, labelled, 0.05)}
    for name, points in GROUPS.items():
        table[f"{name}_pck10"] = pck(errors, labelled, 0.1, points)
    return table


def reliability(scores: Floats, right: npt.NDArray[np.bool_], bins: int = 10) -> dict[str, Any]:
    """Expected calibration error over equal-width bins, Brier score and the table behind it."""
    score, hit = scores.ravel().astype(np.float64), right.ravel().astype(np.float64)
    which = np.minimum((score * bins).astype(int), bins - 1)
    rows, error = [], 0.0
    for index in range(bins):
        inside = which == index
        if not inside.any():
            continue
        said, was = float(score[inside].mean()), float(hit[inside].mean())
        error += abs(said - was) * float(inside.mean())
        rows.append({"from": index / bins, "n": int(inside.sum()), "said": said, "was": was})
    return {"ece": error, "brier": float(((score - hit) ** 2).mean()), "table": rows}


def fit_logistic(
    x: Floats, y: npt.NDArray[np.bool_], prior: tuple[float, float] = (1.0, 0.0), ridge: float = 1.0
) -> tuple[float, float]:
    """(a, b) of sigmoid(a x + b) by Newton's method; `ridge` pulls towards `prior` where there is little data."""
    design = np.stack([x.astype(np.float64), np.ones(len(x))], 1)
    target, centre = y.astype(np.float64), np.asarray(prior, np.float64)
    fitted = centre.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(design @ fitted, -40, 40)))
        gradient = design.T @ (p - target) + ridge * (fitted - centre)
        hessian = design.T @ (design * (p * (1 - p))[:, None]) + ridge * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        fitted -= step
        if np.abs(step).max() < 1e-8:
            break
    return float(fitted[0]), float(fitted[1])


def fit_pooled(x: Floats, y: npt.NDArray[np.bool_], partner: tuple[int, ...]) -> tuple[Floats, Floats]:
    """(a, b), each (points,), from (n, points) inputs and outcomes; a point shares its curve with its partner and is pulled
    towards the curve of all points together."""
    everything = fit_logistic(x.ravel(), y.ravel())
    curves = [fit_logistic(x[:, [k, m]].ravel(), y[:, [k, m]].ravel(), everything, ridge=4.0) for k, m in enumerate(partner)]
    return np.array([a for a, _ in curves], np.float32), np.array([b for _, b in curves], np.float32)

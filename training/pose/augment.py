"""Augmentation: one random affine map for picture and points, then cheap changes of light and cover in uint8.

It imitates what a stable's camera and detector do: boxes that are loose, cut or shifted, horses that lie or roll, infra-red
pictures, lamps, noise, blur, JPEG, bars and people in front, horses half out of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.common.crop import GREY, Affine, about_centre, move_points
from training.pose.data import CACHE_SCALE, CACHE_SIZE
from training.pose.skeleton import COUNT, MIRROR

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class AugmentOptions:
    """How strongly pictures are changed; probabilities are per sample."""

    crop_scale: float = 1.25
    """Side of the network's square over the longest box side, as at run time."""
    zoom_sigma: float = 0.16
    """Standard deviation of the log zoom, clipped at two and a half."""
    shift: float = 0.09
    """Largest shift as a share of the square's side."""
    turn_sigma: float = 18.0
    """Standard deviation in degrees of the ordinary rotation."""
    any_turn: float = 0.10
    """Probability of a rotation by any angle (horses that lie or roll)."""
    stretch: float = 0.12
    """Largest log ratio between the zooms of x and y."""
    half_body: float = 0.10
    """Probability of looking at a part of the labelled points only."""
    mirror: float = 0.5
    """Probability of mirroring."""
    grey: float = 0.22
    """Probability of a colourless picture."""
    lamp: float = 0.12
    """Probability of a lamp's vignette."""
    noise: float = 0.25
    """Probability of sensor noise."""
    blur: float = 0.18
    """Probability of blur (half of it motion)."""
    small: float = 0.15
    """Probability of a low-resolution picture blown up."""
    jpeg: float = 0.15
    """Probability of strong JPEG compression."""
    cover: float = 0.30
    """Probability of occluders."""


@dataclass(frozen=True)
class Sample:
    """`image` (S, S, 3) uint8 RGB, `points` (20, 2) in its pixels, `state` (20,) 0 unlabelled, 1 hidden, 2 visible,
    `outside` (20,) True where a labelled point fell out of the picture."""

    image: Image
    points: npt.NDArray[np.float32]
    state: npt.NDArray[np.uint8]
    outside: npt.NDArray[np.bool_]


def plain_affine(size: int, options: AugmentOptions) -> Affine:
    """The map from the cached square to the network's square without any augmentation."""
    zoom = size / CACHE_SIZE * CACHE_SCALE / options.crop_scale
    return about_centre(CACHE_SIZE, size, degrees=0.0, zoom=(zoom, zoom), shift=(0.0, 0.0))


def random_affine(
    points: npt.NDArray[np.float32], box: npt.NDArray[np.float32], size: int, options: AugmentOptions, rng: np.random.Generator
) -> Affine:
    """A random map from the cached square to the network's square (mirroring not included)."""
    zoom = size / CACHE_SIZE * CACHE_SCALE / options.crop_scale
    centre = np.full(2, (CACHE_SIZE - 1) / 2)
    labelled = points[points[:, 2] > 0, :2]
    if rng.random() < options.half_body and len(labelled) >= 6:
        anchor = labelled[rng.integers(len(labelled))]
        near = labelled[np.argsort(((labelled - anchor) ** 2).sum(1))[: rng.integers(4, len(labelled))]]
        low, high = near.min(0), near.max(0)
        side = max(float((high - low).max()) * 1.25, 0.35 * float(box.max()))
        centre = (low + high) / 2
        zoom *= min(float(box.max()) / side, 2.2)
    log_zoom = float(np.clip(rng.normal(0, options.zoom_sigma), -2.5 * options.zoom_sigma, 2.5 * options.zoom_sigma))
    stretch = rng.uniform(-options.stretch, options.stretch) / 2
    zooms = (zoom * np.exp(log_zoom + stretch), zoom * np.exp(log_zoom - stretch))
    degrees = rng.uniform(-180, 180) if rng.random() < options.any_turn else rng.normal(0, options.turn_sigma)
    shift = rng.uniform(-options.shift, options.shift, 2) * size
    affine = about_centre(CACHE_SIZE, size, degrees=float(degrees), zoom=zooms, shift=(float(shift[0]), float(shift[1])))
    affine[:, 2] += affine[:, :2] @ (np.full(2, (CACHE_SIZE - 1) / 2) - centre)
    return affine


def warp(
    crop: Image, points: npt.NDArray[np.float32], affine: Affine, size: int, *, mirror: bool
) -> tuple[Image, npt.NDArray[np.float32], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Picture, points, states and which labelled points fell outside, through the map and the mirror."""
    if mirror:
        flip = np.array([[-1.0, 0.0, size - 1.0], [0.0, 1.0, 0.0]])
        affine = np.hstack([flip[:, :2] @ affine[:, :2], (flip[:, :2] @ affine[:, 2] + flip[:, 2])[:, None]])
    border = (GREY, GREY, GREY)
    image = cv2.warpAffine(
        crop, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border
    )
    moved = move_points(affine, points[:, :2]).astype(np.float32)
    state = points[:, 2].astype(np.uint8)
    if mirror:
        moved, state = moved[list(MIRROR)], state[list(MIRROR)]
    outside = (state > 0) & ((moved < -0.5) | (moved > size - 0.5)).any(1)
    return np.asarray(image, np.uint8), moved, np.where(outside, 0, state).astype(np.uint8), outside


def relight(picture: Image, options: AugmentOptions, rng: np.random.Generator) -> Image:
    """Random colour matrix, contrast, gamma, lamp, noise, blur, resolution and JPEG."""
    image: npt.NDArray[Any] = picture
    size = image.shape[0]
    if rng.random() < 0.8:
        matrix = np.eye(3) + rng.normal(0, 0.06, (3, 3))
        if rng.random() < options.grey:
            weights = rng.dirichlet((3.0, 3.0, 3.0))
            matrix = np.repeat(weights[None], 3, 0) * (1 + rng.normal(0, 0.02, (3, 1)))
        image = cv2.transform(image, matrix)
        contrast, shift, gamma = rng.uniform(0.55, 1.4), rng.uniform(-35, 35), np.exp(rng.uniform(-0.45, 0.45))
        level = np.clip((np.arange(256) - 128) * contrast + 128 + shift, 0, 255) / 255
        image = cv2.LUT(image, (255 * level**gamma).astype(np.uint8))
    if rng.random() < options.small:
        small = int(size * rng.uniform(0.22, 0.7))
        image = cv2.resize(
            cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA), (size, size), interpolation=cv2.INTER_LINEAR
        )
    if rng.random() < options.blur:
        if rng.random() < 0.5:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0))
        else:
            image = cv2.filter2D(image, -1, _motion_kernel(int(rng.integers(3, 10)), rng.uniform(0, np.pi)))
    if rng.random() < options.lamp:
        cx, cy, reach = rng.uniform(0, size), rng.uniform(0, size), size * rng.uniform(0.4, 1.0)
        yy, xx = np.ogrid[:size, :size]
        light = np.exp(-((xx - cx) ** 2 + (yy - cy) ** 2) / (2 * reach**2)).astype(np.float32)
        light = rng.uniform(0.2, 0.6) + light * rng.uniform(0.6, 1.2)
        image = np.clip(image * light[..., None], 0, 255).astype(np.uint8)
    if rng.random() < options.noise:
        grain = np.empty((size, size, 1 if rng.random() < 0.5 else 3), np.int16)
        cv2.setRNGSeed(int(rng.integers(2**31)))
        cv2.randn(grain, np.zeros(1), np.array([rng.uniform(3, 22)]))
        image = np.clip(image.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    if rng.random() < options.jpeg:
        done, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 60))])
        if done:
            image = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return image


def _motion_kernel(length: int, angle: float) -> npt.NDArray[np.float32]:
    kernel = np.zeros((length, length), np.float32)
    middle, arm = (length - 1) / 2, np.array([np.cos(angle), np.sin(angle)]) * (length - 1) / 2
    a, b = np.rint(middle - arm).astype(int), np.rint(middle + arm).astype(int)
    cv2.line(kernel, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def occlude(
    image: Image, points: npt.NDArray[np.float32], state: npt.NDArray[np.uint8], rng: np.random.Generator
) -> tuple[Image, npt.NDArray[np.uint8]]:
    """Paint boxes, bars or ellipses over the picture; covered visible points become hidden."""
    size = image.shape[0]
    mask = np.zeros((size, size), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        for _ in range(rng.integers(1, 4)):
            w, h = rng.integers(size // 14, size // 4, 2)
            x, y = rng.integers(-w // 2, size - w // 2), rng.integers(-h // 2, size - h // 2)
            mask[max(y, 0) : y + h, max(x, 0) : x + w] = 1
    elif kind == 1:
        pitch, wide, upright = (
            int(rng.integers(size // 10, size // 3)),
            int(rng.integers(2, max(3, size // 22))),
            rng.random() < 0.6,
        )
        for start in range(int(rng.integers(pitch)), size, pitch):
            if upright:
                mask[:, start : start + wide] = 1
            else:
                mask[start : start + wide] = 1
    else:
        axes = (int(rng.integers(size // 20, size // 7)), int(rng.integers(size // 10, size // 4)))
        middle = (int(rng.integers(size)), int(rng.integers(size)))
        cv2.ellipse(mask, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
    image = image.copy()
    if rng.random() < 0.4:
        image[mask > 0] = np.roll(image, (int(rng.integers(size)), int(rng.integers(size))), (0, 1))[mask > 0]
    else:
        image[mask > 0] = rng.integers(0, 256, 3)
    cell = np.clip(np.rint(points), 0, size - 1).astype(int)
    covered = (mask[cell[:, 1], cell[:, 0]] > 0) & (state == 2)
    return image, np.where(covered, 1, state).astype(np.uint8)


def augmented(
    crop: Image,
    points: npt.NDArray[np.float32],
    box: npt.NDArray[np.float32],
    size: int,
    options: AugmentOptions,
    rng: np.random.Generator,
) -> Sample:
    """One training sample from a cached BGR crop."""
    affine = random_affine(points, box, size, options, rng)
    image, moved, state, outside = warp(crop, points, affine, size, mirror=rng.random() < options.mirror)
    if rng.random() < options.cover:
        image, state = occlude(image, moved, state, rng)
    image = relight(image, options, rng)
    return Sample(np.ascontiguousarray(image[..., ::-1]), moved, state, outside)


def plain(crop: Image, points: npt.NDArray[np.float32], size: int, options: AugmentOptions) -> Sample:
    """The sample as the runtime would crop it."""
    image, moved, state, outside = warp(crop, points, plain_affine(size, options), size, mirror=False)
    assert moved.shape == (COUNT, 2)
    return Sample(np.ascontiguousarray(image[..., ::-1]), moved, state, outside)

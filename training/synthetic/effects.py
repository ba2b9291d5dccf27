"""From linear light to the picture a stable camera would store: exposure, infra-red grey, noise, blur, cobweb, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Linear = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Optics:
    """What a camera does to the light. ``noise`` in grey levels, blurs in pixels, ``quality`` of JPEG (0: none)."""

    exposure: float = 1.0
    infrared: bool = False
    vignette: float = 0.2
    noise: float = 2.0
    blur: float = 0.0
    motion: float = 0.0
    motion_angle: float = 0.0
    cobweb: int = 0
    quality: int = 0
    shrink: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    contrast: float = 1.0


def random_optics(light: str, exposure: float, rng: np.random.Generator) -> Optics:
    """A camera drawn at random for a light."""
    dark = light in ("infrared", "lamp", "dusk")
    return Optics(
        exposure=exposure,
        infrared=light == "infrared",
        vignette=float(rng.uniform(0.1, 0.6)) if light == "infrared" else float(rng.uniform(0.0, 0.25)),
        noise=float(rng.uniform(2, 13) if dark else rng.uniform(0.5, 5)),
        blur=float(rng.choice([0.0, 0.0, 0.6, 1.0, 1.6])),
        motion=float(rng.choice([0, 0, 0, 3, 5, 9])),
        motion_angle=float(rng.uniform(0, 180)),
        cobweb=int(rng.integers(1, 1 << 30)) if rng.random() < (0.25 if light == "infrared" else 0.04) else 0,
        quality=int(rng.integers(28, 92)),
        shrink=float(rng.choice([1.0, 1.0, 1.0, 0.7, 0.5])),
        tint=(float(rng.normal(1, 0.06)), 1.0, float(rng.normal(1, 0.06))),
        contrast=float(rng.uniform(0.85, 1.2)),
    )


def develop(colour: Linear, optics: Optics, rng: np.random.Generator) -> Picture:
    """BGR picture (h, w, 3) from linear RGB (h, w, 3)."""
    height, width = colour.shape[:2]
    light = np.maximum(colour * optics.exposure, 0.0)
    if optics.infrared:
        grey = light.mean(2)
        grey = grey + 0.25 * cv2.GaussianBlur(np.maximum(grey - 0.8, 0), (0, 0), width / 60)
        light = np.repeat(grey[:, :, None], 3, axis=2)
    elif optics.tint != (1.0, 1.0, 1.0):
        light = light * np.array(optics.tint, np.float32)
    if optics.vignette > 0:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        light = light * (1 - optics.vignette * np.clip((x**2 + y**2) / 1.6, 0, 1)).astype(np.float32)[:, :, None]
    picture = 255 * np.power(1 - np.exp(-1.55 * light), 1 / 2.2)
    if optics.contrast != 1.0:
        picture = (picture - 110) * optics.contrast + 110
    if optics.cobweb:
        picture = picture + cobweb(height, width, optics.cobweb)[:, :, None] * (110 if optics.infrared else 45)
    if optics.motion >= 2:
        picture = cv2.filter2D(picture, -1, _streak(optics.motion, optics.motion_angle))
    if optics.blur > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), optics.blur * width / 640)
    if optics.noise > 0:
        shape = (height, width, 1) if optics.infrared else (height, width, 3)
        picture = picture + rng.normal(0, optics.noise, shape).astype(np.float32)
    out = np.asarray(np.clip(picture, 0, 255), np.uint8)[:, :, ::-1]
    if optics.shrink < 1:
        small = cv2.resize(out, None, fx=optics.shrink, fy=optics.shrink, interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    if optics.quality:
        _, packed = cv2.imencode(".jpg", np.ascontiguousarray(out), [cv2.IMWRITE_JPEG_QUALITY, optics.quality])
        out = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(out, np.uint8)


def _streak(length: float, angle: float) -> npt.NDArray[np.float32]:
    size = int(length) | 1
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    turn = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), angle, 1)
    turned = cv2.warpAffine(kernel, turn, (size, size))
    return np.asarray(turned / turned.sum(), np.float32)


def cobweb(height: int, width: int, seed: int) -> Linear:
    """Threads close to the lens, out of focus: (height, width) 0..1."""
    rng = np.random.default_rng(seed)
    canvas = np.zeros((height, width), np.float32)
    for _ in range(int(rng.integers(2, 7))):
        start = rng.uniform(-0.1, 1.1, 2) * [width, height]
        end = rng.uniform(-0.1, 1.1, 2) * [width, height]
        middle = (start + end) / 2 + rng.normal(0, 0.1, 2) * [width, height]
        t = np.linspace(0, 1, 40)[:, None]
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        cv2.polylines(
            canvas, [curve.astype(np.int32)], False, float(rng.uniform(0.4, 1.0)), int(rng.integers(1, 4)), cv2.LINE_AA
        )
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.8, 3.0) * width / 480), np.float32)

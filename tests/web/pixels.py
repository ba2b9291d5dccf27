"""Reading what is really on the screen: the frame's number, the target, the box that was drawn."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from playwright.sync_api import Page
from tests.web.target import BLOCK, HEIGHT, WIDTH, box_of

SKY = np.array([0x87, 0xCE, 0xEB])


@dataclass(frozen=True)
class Screen:
    """One screenshot of the stage. ``target`` and ``drawn`` are left edges in px of the clip, ``None`` where not found."""

    number: int
    target: float | None
    drawn: float | None

    @property
    def apart_px(self) -> float | None:
        """How far the drawn box is from where the target is in this very picture, px of the clip."""
        return None if self.drawn is None else self.drawn - box_of(self.number)[0]


def look(page: Page) -> Screen:
    """A screenshot of the stage as the browser composes it, overlay and all."""
    # One call to the browser; a locator's own screenshot waits for the stage to stop moving first.
    stage = page.get_by_test_id("overlay").bounding_box()
    assert stage is not None
    png = page.screenshot(clip=stage, animations="allow", caret="initial")
    return read(np.asarray(Picture.open(io.BytesIO(png)).convert("RGB")).astype(int))


def read(image: npt.NDArray[np.int_]) -> Screen:
    """``(h, w, 3)`` RGB of the stage at any size."""
    height, width = image.shape[:2]
    scale = width / WIDTH
    row = image[round(BLOCK / 2 * scale)]
    number = 0
    for bit in range(16):
        if row[round((bit + 0.5) * BLOCK * scale)].mean() > 128:
            number |= 1 << bit
    band = image[round(330 * height / HEIGHT) : round(390 * height / HEIGHT)]
    magenta = (band[..., 0] > 180) & (band[..., 1] < 110) & (band[..., 2] > 180)
    sky = np.abs(band - SKY).max(axis=2) < 36
    return Screen(number, _left(magenta, scale), _left(sky, scale, inner=True))


def _left(mask: npt.NDArray[np.bool_], scale: float, *, inner: bool = False) -> float | None:
    """Left edge of what fills a column of the band; ``inner`` takes the middle of a line 2 px wide."""
    columns = np.flatnonzero(mask.mean(axis=0) > 0.6)
    if not len(columns):
        return None
    first = float(columns[0])
    if inner:
        line = columns[columns < first + 4]
        first = float(line.mean()) + 0.5
    return first / scale

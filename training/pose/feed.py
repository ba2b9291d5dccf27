"""The endless, seeded stream of training batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import IterableDataset

from training.common.seed import sample_rng
from training.pose.augment import AugmentOptions, augmented
from training.pose.data import Animals

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True)
class FeedOptions:
    """What is drawn how often."""

    batch: int = 32
    """Samples a step."""
    sizes: tuple[tuple[float, int], ...] = ((0.0, 160), (0.44, 192))
    """(progress from which, input size in pixels), ascending."""
    horse_from: float = 0.6
    """Share of real samples that are horses at the start."""
    horse_to: float = 0.9
    """Share of real samples that are horses at the end."""
    synthetic: float = 0.12
    """Share of rendered horses of all kinds where there are any."""
    strides: float = 0.25
    """Share of rendered horses in stride, seen from the side, where there are any."""
    seed: int = 7
    augment: AugmentOptions = field(default_factory=AugmentOptions)

    def size_at(self, progress: float) -> int:
        """Input size at this progress (0..1)."""
        return [size for start, size in self.sizes if progress >= start][-1]


class Feed(IterableDataset[Batch]):
    """Batches from step `start` to `stop`; batch i is the same whichever process makes it and whenever."""

    def __init__(
        self,
        real: Animals,
        synthetic: Animals | None,
        options: FeedOptions,
        start: int,
        stop: int,
        strides: Animals | None = None,
    ) -> None:
        self.real, self.synthetic, self.strides = real, synthetic, strides
        self.options, self.start, self.stop = options, start, stop
        self.horses = np.flatnonzero(real.species == "horse")
        self.others = np.flatnonzero(real.species != "horse")

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(0)
        torch.set_num_threads(1)
        worker = torch.utils.data.get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self.start + first, self.stop, stride):
            yield self.batch(step)

    def batch(self, step: int) -> Batch:
        """Batch number `step`."""
        o = self.options
        progress = step / self.stop
        size = o.size_at(progress)
        images = np.empty((o.batch, size, size, 3), np.uint8)
        points = np.empty((o.batch, self.real.points.shape[1], 2), np.float32)
        state = np.empty(points.shape[:2], np.uint8)
        outside = np.empty(points.shape[:2], np.bool_)
        for slot in range(o.batch):
            rng = sample_rng(o.seed, step * o.batch + slot)
            animals, index = self._draw(progress, rng)
            sample = augmented(animals.crops[index], animals.points[index], animals.box[index], size, o.augment, rng)
            images[slot], points[slot], state[slot], outside[slot] = sample.image, sample.points, sample.state, sample.outside
        return {
            "images": torch.from_numpy(images),
            "points": torch.from_numpy(points),
            "state": torch.from_numpy(state),
            "outside": torch.from_numpy(outside),
        }

    def _draw(self, progress: float, rng: np.random.Generator) -> tuple[Animals, int]:
        o = self.options
        for rendered, share in ((self.synthetic, o.synthetic), (self.strides, o.strides / (1 - o.synthetic))):
            if rendered is not None and rng.random() < share:
                return rendered, int(rng.integers(len(rendered)))
        share = o.horse_from + (o.horse_to - o.horse_from) * progress
        pool: npt.NDArray[np.intp] = self.horses if rng.random() < share or not len(self.others) else self.others
        return self.real, int(pool[rng.integers(len(pool))])

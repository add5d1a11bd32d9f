"""Which photo a training step sees, and which crop of it: pure functions of seed and place."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset


def epoch_order(
    datasets: Sequence[str], repeat: Mapping[str, float], seed: int, epoch: int
) -> np.ndarray:
    """The photos of an epoch in their order: indices into `datasets`, int64.

    A dataset is shown `repeat` times (1 unless said): whole times in full, the rest as a
    random share.
    """
    generator = np.random.default_rng([seed, epoch])
    names = np.array(datasets)
    parts = []
    for name in sorted(set(datasets)):
        photos = np.flatnonzero(names == name)
        whole, share = divmod(repeat.get(name, 1.0), 1)
        parts += [photos] * int(whole)
        parts.append(generator.permutation(photos)[: round(share * len(photos))])
    return generator.permutation(np.concatenate(parts))


class Crops(Dataset):
    """Random square crops of an epoch's photos: uint8 sRGB `(3, crop, crop)`, flipped or not.

    Which crop is drawn depends on seed, epoch and place in the epoch alone, not on workers.
    """

    def __init__(
        self,
        photos: Sequence[np.ndarray],
        order: np.ndarray,
        crop: int,
        smallest: float,
        key: tuple[int, int],
    ) -> None:
        self.photos, self.order, self.key = photos, order, key
        self.crop, self.smallest = crop, smallest

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> Tensor:
        generator = np.random.default_rng([*self.key, place])
        pixels = self.photos[self.order[place]]
        height, width = pixels.shape[:2]
        side = max(1, round(min(height, width) * generator.uniform(self.smallest, 1)))
        top = generator.integers(height - side + 1)
        left = generator.integers(width - side + 1)
        square = np.array(pixels[top : top + side, left : left + side])
        if generator.random() < 0.5:
            square = square[:, ::-1].copy()
        tensor = torch.from_numpy(square).permute(2, 0, 1)
        if side == self.crop:
            return tensor
        size = (self.crop, self.crop)
        return F.interpolate(tensor[None], size, mode="bilinear", antialias=True)[0]

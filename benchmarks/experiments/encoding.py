"""What soft encoding and the loss over 313 bins cost, against how both papers' code does it.

    python -m benchmarks.experiments.encoding

The reference is the way of Zhang et al. 2016's published training code: scikit-learn's nearest
neighbours of each pixel and a dense target (N, 313, H, W), which the second paper could not
afford. Both see the same pixels in the same run. Then the share of a training step that encoding
and loss take, forward and backward, as each network was trained. Prints JSON; seconds are the
best of a few.
"""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import skimage.data
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from colorize.color import bins
from colorize.color.lab import lab_from_rgb
from colorize.models.checkpoint import load_checkpoint
from colorize.training.crops import Crops
from colorize.training.losses import make_loss
from colorize.training.settings import make_settings
from colorize.training.start import best_precision

BATCH, CROP = 16, 96
NETWORKS = {"classifier": (), "unet": ("crop=128",)}  # over bins; with the settings of the step
_REPEATS = 5


def photos(count: int, crop: int) -> Tensor:
    """sRGB in [0, 1] `(count, 3, crop, crop)`: random crops of scikit-image's photos."""
    data = skimage.data
    pictures = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    pictures += [data.retina(), data.stereo_motorcycle()[0]]
    crops = Crops(pictures, np.arange(count) % len(pictures), crop, 0.4, (0, 0))
    return torch.stack([crops[place] for place in range(count)]).float() / 255


def dense_target(ab: Tensor) -> Tensor:
    """ab `(N, 2, H, W)` to the soft target `(N, 313, H, W)`, by search: the reference."""
    count, _, height, width = ab.shape
    search = NearestNeighbors(n_neighbors=bins.NEIGHBOURS, algorithm="ball_tree")
    search.fit(bins.centres().numpy())
    distances, index = search.kneighbors(ab.movedim(1, -1).reshape(-1, 2).numpy())
    weights = np.exp(-(distances**2) / (2 * bins.SIGMA**2))
    weights /= weights.sum(1, keepdims=True)
    target = np.zeros((len(index), bins.COUNT), np.float32)
    target[np.arange(len(index))[:, None], index] = weights
    return torch.from_numpy(target).view(count, height, width, -1).movedim(-1, 1)


def dense_loss(logits: Tensor, target: Tensor) -> Tensor:
    """The cross entropy of logits against a dense target, both `(N, 313, H, W)`."""
    return -(target * logits.log_softmax(1)).sum(1).mean()


def measure() -> dict[str, Any]:
    """`{"pixels", "encoding", "encoding_and_loss", "training"}`: seconds and ratios.

    `training` has the share of encoding and loss in a training step of each of `NETWORKS`.
    """
    ab = lab_from_rgb(photos(BATCH, CROP))[:, 1:]
    logits = torch.randn(BATCH, bins.COUNT, CROP, CROP, generator=torch.Generator().manual_seed(0))
    logits = logits.contiguous(memory_format=torch.channels_last).requires_grad_()

    def backward(loss: Tensor) -> None:
        logits.grad = None
        loss.backward()

    bins.encode(ab)  # the table is made once
    return {
        "pixels": BATCH * CROP**2,
        "threads": torch.get_num_threads(),
        "encoding": _compare(lambda: bins.encode(ab), lambda: dense_target(ab)),
        "encoding_and_loss": _compare(
            lambda: backward(bins.soft_cross_entropy(logits, ab)),
            lambda: backward(dense_loss(logits, dense_target(ab))),
        ),
        "training": [share_of_step(name, changes) for name, changes in NETWORKS.items()],
    }


def _compare(ours: Callable[[], Any], reference: Callable[[], Any]) -> dict[str, float]:
    a, b = _best(ours, _REPEATS), _best(reference, 2)
    return {"seconds": a, "reference_seconds": b, "ratio": b / a}


def _best(work: Callable[[], Any], repeats: int) -> float:
    """Seconds of the quickest of some runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def share_of_step(name: str, changes: tuple[str, ...] = ()) -> dict[str, Any]:
    """What of a training step of a network over bins is encoding and loss, forward and backward."""
    network, record = load_checkpoint(name)
    network = network.train().requires_grad_(True).to(memory_format=torch.channels_last)
    settings = make_settings(record.network, changes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5)
    loss = make_loss(settings, record.ab_scale, None)
    lab = lab_from_rgb(photos(settings.batch, settings.crop))
    centre, scale = record.lightness
    L = ((lab[:, :1] - centre) / scale).contiguous(memory_format=torch.channels_last)
    every = slice(0, None, settings.every)
    ab = torch.nn.functional.avg_pool2d(lab[:, 1:], getattr(network, "output_stride", 1))
    ab = ab[..., every, every]

    def step() -> Tensor:
        with _precision():
            output = network(L, pixels=(every, every))
        loss(output.float(), ab).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return output.detach()

    output = step().requires_grad_()
    whole = _best(step, _REPEATS)
    part = _best(lambda: loss(output.float(), ab).backward(), _REPEATS)
    return {
        "network": name,
        "photos": settings.batch,
        "crop": settings.crop,
        "every": settings.every,
        "loss": settings.loss,
        "step_seconds": whole,
        "loss_seconds": part,
        "share": part / whole,
    }


def _precision() -> AbstractContextManager:
    """bf16 where training takes it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=best_precision() == "bf16")


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))

"""How far colours bleed over edges, by the way in which small ab becomes large."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt, gaussian_gradient_magnitude
from skimage.color import deltaE_ciede2000
from torch import Tensor, nn

from colorize.color.lab import lab_from_rgb, rgb_from_lab
from colorize.color.resample import enlarged_part
from colorize.data.datasets import Dataset
from colorize.evaluation.report import BleedingRow, Report
from colorize.evaluation.scores import read_photos, with_split
from colorize.inference.colorizer import working_shape
from colorize.inference.predict import decode, resize, run_network
from colorize.models.record import Record

STRONG = 6.0  # ab units a pixel, of the gradient smoothed with a sigma of 1
NEAR = 3.0  # pixels
FACTORS = (2, 4, 8)  # by which the truth's own ab is reduced, as a model without faults
GUIDE_RADIUS = 1  # of the guide's windows, in pixels of the network's output; chosen on `val`
GUIDE_EPSILON = 30.0  # squared units of L: edges weaker than its root guide little; chosen likewise

Upsampling = Callable[[Tensor, Tensor], Tensor]  # ab (2, h, w), L (1, H, W) -> ab (2, H, W)


def bilinear(ab: Tensor, L: Tensor) -> Tensor:
    return F.interpolate(ab[None], L.shape[-2:], mode="bilinear", align_corners=False)[0]


def bicubic(ab: Tensor, L: Tensor) -> Tensor:
    """As photos are rendered (`render`)."""
    return enlarged_part(ab, L.shape[-2:], slice(0, L.shape[-2]), slice(0, L.shape[-1]))


def guided(ab: Tensor, L: Tensor) -> Tensor:
    """Along the edges of L, by the slopes that `guide_coefficients` gives."""
    coefficients = guide_coefficients(ab, resize(L[None], ab.shape[-2:])[0])
    slope, rest = bicubic(coefficients, L).split(2)
    return slope * L + rest


def guide_coefficients(
    ab: Tensor, L: Tensor, radius: int = GUIDE_RADIUS, epsilon: float = GUIDE_EPSILON
) -> Tensor:
    """`(4, h, w)` from ab `(2, h, w)` and L `(1, h, w)` at the same resolution.

    A fast guided filter (He and Sun 2015; He, Sun and Tang 2013, equations 5 and 6), computed at
    low resolution and enlarged; it adds only what is finer than the network's ab, which stays.
    The first two are the slopes of a and b over L in the windows around each pixel, the others
    what is left of ab: enlarged, slope * L + rest is ab.
    """

    def mean(x: Tensor) -> Tensor:
        """Over windows, which end at the border of the picture."""
        side = 2 * radius + 1
        return F.avg_pool2d(x[None], side, 1, radius, count_include_pad=False)[0]

    L_mean, ab_mean = mean(L), mean(ab)
    variance = mean(L * L) - L_mean.square()
    slope = mean((mean(L * ab) - L_mean * ab_mean) / (variance.clamp(min=0) + epsilon))
    return torch.cat((slope, ab - slope * L))


UPSAMPLINGS: dict[str, Upsampling] = {"bilinear": bilinear, "bicubic": bicubic, "guided": guided}


def near_edges(ab: np.ndarray) -> np.ndarray:
    """Which pixels `(H, W)` lie within 3 of a strong edge of ab `(2, H, W)`."""
    strength = np.hypot(*(gaussian_gradient_magnitude(x, 1.0) for x in ab))
    edges = strength > STRONG
    return distance_transform_edt(~edges) <= NEAR if edges.any() else edges


def measure(
    models: Sequence[tuple[nn.Module, Record]],
    datasets: Sequence[Dataset],
    split: str,
    device: torch.device,
    upsamplings: Mapping[str, Upsampling] = UPSAMPLINGS,
) -> Report[BleedingRow]:
    """Mean CIEDE2000 near the truth's strong ab edges and elsewhere.

    For each model at its working size, for the truth's ab reduced by 2, 4 and 8, and for each
    upsampling; means over photos. Photos without strong edges are left out.
    """
    asked, notes = with_split(datasets, split)
    figures: dict[tuple[str, str], list[tuple[float, float]]] = {}
    seconds = dict.fromkeys(upsamplings, 0.0)
    counts = {}
    for dataset in asked:
        counts[dataset.name] = 0
        for pixels in read_photos(dataset, split, notes):
            rgb = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255
            lab = lab_from_rgb(rgb)
            near = near_edges(lab[1:].numpy())
            if not near.any() or near.all():
                continue
            counts[dataset.name] += 1
            for source, ab in _sources(models, lab, device):
                for name, upsample in upsamplings.items():
                    began = time.perf_counter()
                    large = upsample(ab, lab[:1])
                    seconds[name] += time.perf_counter() - began
                    error = _difference(lab, large)
                    pair = (float(error[near].mean()), float(error[~near].mean()))
                    figures.setdefault((source, name), []).append(pair)
    rows = [
        BleedingRow(source, name, near, elsewhere)
        for (source, name), pairs in figures.items()
        for near, elsewhere in [np.mean(pairs, axis=0).tolist()]
    ]
    total = sum(seconds.values())
    settings = {
        "split": split,
        "strong": STRONG,
        "near": NEAR,
        "datasets": counts,
        "share_of_seconds": {name: round(x / total, 3) for name, x in seconds.items() if total},
        "notes": notes,
    }
    return Report(settings, rows)


def _sources(
    models: Sequence[tuple[nn.Module, Record]], lab: Tensor, device: torch.device
) -> Iterator[tuple[str, Tensor]]:
    """ab at the resolution it comes in: by each model, and the truth's own, reduced."""
    sides = lab.shape[-2:]
    for network, record in models:
        shape = working_shape(sides[::-1], record.size, record.stretch)
        output = run_network(network, record, resize(lab[None, :1], shape).to(device))
        yield record.name, decode(network, record, output)[0].cpu()
    for factor in FACTORS:
        shape = tuple(max(1, round(side / factor)) for side in sides)
        yield f"truth / {factor}", resize(lab[None, 1:], shape)[0]


def _difference(lab: Tensor, ab: Tensor) -> np.ndarray:
    """CIEDE2000 `(H, W)` of the picture that users get."""
    picture = lab_from_rgb(rgb_from_lab(torch.cat((lab[:1], ab))))
    return deltaE_ciede2000(picture.double().numpy(), lab.double().numpy(), channel_axis=0)

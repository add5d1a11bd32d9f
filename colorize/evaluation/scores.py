"""Scores of colorizers on datasets, by the contract of the design: 96 x 96, ab / 128."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from colorize.color.lab import lab_from_rgb, rgb_from_lab
from colorize.data.datasets import SPLITS, Dataset
from colorize.errors import ColorizeError
from colorize.evaluation import metrics
from colorize.evaluation.report import FIGURES, Report, ScoreRow
from colorize.inference.predict import decode, resize, run_network
from colorize.models.record import Decoding, Record

SIZE = 96
GREY = "grey"  # the control without colours
_BATCH = 16

Lpips = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True)
class Contestant:
    """What is scored: a name, its decoding for the table, and L -> ab, both `(N, ., H, W)`.

    `size` is the side that L is given at (96 or the record's larger working size); without
    `colorize` the figures are null.
    """

    model: str
    decoding: str | None
    shipped: bool
    size: int
    colorize: Callable[[Tensor], Tensor] | None


def square(pixels: np.ndarray, size: int) -> Tensor:
    """uint8 `(h, w, 3)` to sRGB `(1, 3, size, size)` in [0, 1]: centre crop, antialiased resize."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = torch.from_numpy(np.array(pixels[top : top + side, left : left + side]))
    rgb = crop.permute(2, 0, 1)[None].float() / 255
    if side == size:
        return rgb
    return F.interpolate(rgb, (size, size), mode="bilinear", align_corners=False, antialias=True)


def contestants(network: nn.Module, record: Record, device: torch.device) -> list[Contestant]:
    """A network's rows: its shipped decoding, and that of the lowest MSE where it is another.

    The latter is the mean (T = 1) of bins, as it is.
    """
    mean = Decoding(1.0 if record.over_bins else None)
    return decoded_by(network, record, device, list(dict.fromkeys((record.how, mean))))


def decoded_by(
    network: nn.Module,
    record: Record,
    device: torch.device,
    decodings: Sequence[Decoding],
) -> list[Contestant]:
    """A contestant for each decoding. They run the network once for the same L."""
    remembered: list[Tensor] = []  # the last L, and what the network gave for it

    def output_for(L: Tensor) -> Tensor:
        if not remembered or remembered[0] is not L:
            remembered[:] = L, run_network(network, record, L.to(device))
        return remembered[1]

    def colorize_by(decoding: Decoding) -> Callable[[Tensor], Tensor]:
        return lambda L: decode(network, record, output_for(L), decoding).cpu()

    return [
        Contestant(
            record.name,
            str(decoding) or None,
            decoding == record.how,
            max(SIZE, record.size),
            colorize_by(decoding),
        )
        for decoding in decodings
    ]


def controls(mean_ab: Sequence[float] | None) -> list[Contestant]:
    """The rows `grey` (ab = 0) and `mean-colour`, which cannot run where there is no mean."""

    def constant(a: float, b: float) -> Callable[[Tensor], Tensor]:
        colour = torch.tensor([a, b], dtype=torch.float32).view(1, 2, 1, 1)
        return lambda L: colour.expand(len(L), -1, *L.shape[-2:])

    return [
        Contestant(GREY, None, True, SIZE, constant(0, 0)),
        Contestant("mean-colour", None, True, SIZE, constant(*mean_ab) if mean_ab else None),
    ]


def with_split(datasets: Sequence[Dataset], split: str) -> tuple[list[Dataset], list[str]]:
    """The datasets that have photos in the split, and a note for each that has not.

    Raises ColorizeError where none has, or one is called "all", as the row over all of them is.
    """
    if any(dataset.name == "all" for dataset in datasets):
        raise ColorizeError("No dataset can be called 'all': that row is the one over all of them")
    asked = [dataset for dataset in datasets if dataset.photos.get(split)]
    if not asked:
        raise ColorizeError(
            f"No dataset has photos in {split!r}, nothing to evaluate; the splits are "
            f"{', '.join(SPLITS)}"
        )
    return asked, [f"{d.name} has no {split!r}" for d in datasets if d not in asked]


def mean_colour(datasets: Sequence[Dataset], split: str) -> tuple[float, float] | None:
    """Mean ab over the photos of `train` of all datasets that have the asked split."""
    total, count = torch.zeros(2, dtype=torch.float64), 0
    for dataset in datasets:
        if dataset.photos[split]:
            for pixels in read_photos(dataset, "train", []):
                total += lab_from_rgb(square(pixels, SIZE))[0, 1:].double().mean((1, 2))
                count += 1
    return tuple((total / count).tolist()) if count else None


def read_photos(dataset: Dataset, split: str, left_out: list[str]) -> Iterator[np.ndarray]:
    """The photos' pixels; those that cannot be read are listed in `left_out`."""
    what = f"{dataset.name} {split}"
    for photo in tqdm(dataset.photos[split], what, unit="photo", leave=False):
        try:
            yield photo.pixels()
        except ColorizeError as error:
            left_out.append(f"left out: {what}/{photo.name}: {error}")


def score_photos(
    contestants: Sequence[Contestant],
    pixels: Iterable[np.ndarray],
    lpips: Lpips | None = None,
    figures: Iterable[str] = FIGURES,
) -> dict[Contestant, list[dict[str, float | None]]]:
    """Each contestant's figures for each photo: the contract's crop, sizes and scales."""
    scores: dict[Contestant, list] = {contestant: [] for contestant in contestants}
    for batch in batches(pixels):
        truth = lab_from_rgb(torch.cat([square(photo, SIZE) for photo in batch]))
        lightness = {SIZE: truth[:, :1]}
        for contestant in contestants:
            if contestant.colorize is None:
                continue
            if contestant.size not in lightness:
                larger = torch.cat([square(photo, contestant.size) for photo in batch])
                lightness[contestant.size] = lab_from_rgb(larger)[:, :1]
            ab = resize(contestant.colorize(lightness[contestant.size]), (SIZE, SIZE))
            scores[contestant] += score_batch(ab, truth, lpips, figures)
    return scores


def score_batch(
    ab: Tensor, truth: Tensor, lpips: Lpips | None = None, figures: Iterable[str] = FIGURES
) -> list[dict[str, float | None]]:
    """Figures of ab `(N, 2, 96, 96)` against true Lab `(N, 3, 96, 96)`, a dict a photo.

    Pictures are made as users get them: the true L, chroma scaled into gamut.
    """
    pictures = rgb_from_lab(torch.cat((truth[:, :1], ab), 1))
    pairs = zip(ab, pictures, lab_from_rgb(pictures), truth, rgb_from_lab(truth), strict=True)
    rows = []
    for tensors in pairs:
        ab_one, picture, lab, truth_lab, truth_picture = (x.double().numpy() for x in tensors)
        ways: dict[str, Callable[[], float | None]] = {
            "mse": partial(metrics.mse, ab_one, truth_lab[1:]),
            "psnr": partial(metrics.psnr, picture, truth_picture),
            "mssim": partial(metrics.mssim, picture, truth_picture),
            "lpips": partial(lpips, picture, truth_picture) if lpips else lambda: None,
            "colorfulness": partial(metrics.colorfulness, picture),
            "colorfulness_truth": partial(metrics.colorfulness, truth_picture),
            "ciede2000": partial(metrics.ciede2000, lab, truth_lab),
        }
        rows.append({figure: ways[figure]() for figure in figures})
    return rows


def batches(pixels: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """The photos in lists of 16, the last one as long as it gets."""
    batch: list[np.ndarray] = []
    for photo in pixels:
        batch.append(photo)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def evaluate(
    models: Sequence[tuple[nn.Module, Record]],
    datasets: Sequence[Dataset],
    split: str,
    device: torch.device,
) -> Report[ScoreRow]:
    """The contract's figures of models and controls; datasets without the split are noted.

    Raises ColorizeError where `with_split` does.
    """
    asked, notes = with_split(datasets, split)
    lpips, why_no_lpips = metrics.lpips_vgg()
    mean_ab = mean_colour(asked, split)
    entries = [entry for model in models for entry in contestants(*model, device)]
    entries += controls(mean_ab)
    scores: dict[str, dict[Contestant, list]] = {}
    for dataset in asked:
        scores[dataset.name] = score_photos(entries, read_photos(dataset, split, notes), lpips)
    scores["all"] = {
        entry: [row for by_entry in scores.values() for row in by_entry[entry]] for entry in entries
    }
    counts = {name: len(by_entry[entries[-2]]) for name, by_entry in scores.items()}  # of grey
    rows = [
        _row(entry, dataset, by_entry[entry], counts[dataset])
        for dataset, by_entry in scores.items()
        for entry in entries
    ]
    if why_no_lpips:
        notes.append(f"lpips is null: {why_no_lpips}")
    if not mean_ab:
        notes.append("mean-colour is null: none of these datasets has photos in 'train'")
    notes += _infinite(scores)
    settings = {
        "split": split,
        "size": SIZE,
        "mean_colour": [round(x, 3) for x in mean_ab] if mean_ab else None,
        "datasets": {dataset.name: counts[dataset.name] for dataset in asked},
        "notes": notes,
    }
    return Report(settings, rows)


def _row(
    entry: Contestant, dataset: str, scores: list[dict[str, float | None]], photos: int
) -> ScoreRow:
    means = {figure: mean_of([score[figure] for score in scores]) for figure in FIGURES}
    return ScoreRow(entry.model, dataset, entry.decoding, entry.shipped, photos, **means)


def mean_of(values: list[float | None]) -> float | None:
    """The mean; null where one is missing, or infinite (JSON has no infinity)."""
    if not values or any(value is None or not math.isfinite(value) for value in values):
        return None
    return float(np.mean(values))


def _infinite(scores: dict[str, dict[Contestant, list]]) -> list[str]:
    """A note for each figure that some photo makes infinite, as PSNR of equal pictures is."""
    return [
        f"{figure} of {entry.model} on {dataset} is null: infinite or undefined for a photo"
        for dataset, by_entry in scores.items()
        for entry, rows in by_entry.items()
        for figure in FIGURES
        if any(row[figure] is not None and not math.isfinite(row[figure]) for row in rows)
    ]

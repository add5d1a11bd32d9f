"""A judge that stands in for people: can a classifier tell colorized photos from originals?

Lopez-Paz and Oquab 2017, "Revisiting Classifier Two-Sample Tests": a classifier that does no
better than chance on held-out pictures has found no difference. This one is linear, on the last
features of a frozen pretrained network. It sees nothing but colours: both versions of a photo have
its lightness, and both versions' ab comes from the resolution at which the model gives it.
Earlier features tell nearly every picture by traces that no eye sees, whatever the colours.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.stats import t as student
from torch import Tensor, nn

from colorize.color.lab import lab_from_rgb, rgb_from_lab, to_uint8
from colorize.data.datasets import Dataset
from colorize.errors import ColorizeError
from colorize.evaluation.report import JudgeRow, Report
from colorize.evaluation.scores import (
    GREY,
    Contestant,
    batches,
    contestants,
    controls,
    read_photos,
    square,
    with_split,
)
from colorize.inference.predict import resize
from colorize.models.checkpoint import load_checkpoint
from colorize.models.networks.backbone import create, load_pretrained
from colorize.models.record import Record, list_checkpoints

SIZE = 192  # side of the squares that it looks at, in pixels
BACKBONE = "tf_efficientnet_lite2"
FOLDS = 5
_RIDGES = (0.01, 0.1, 1.0, 10.0)  # shares of the features' mean variance; chosen in training
_CONFIDENCE = 0.95
_ORIGINAL, _COLORIZED = -1.0, 1.0

Scores = Callable[[np.ndarray], np.ndarray]


class Eye(nn.Module):
    """The last features of a timm network, pooled: sRGB `(N, 3, H, W)` in [0, 1] -> `(N, d)`."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        config = network.pretrained_cfg
        for name in ("mean", "std"):
            self.register_buffer(name, torch.tensor(config[name]).view(1, 3, 1, 1))
        self.eval().requires_grad_(False)

    @torch.inference_mode()
    def forward(self, rgb: Tensor) -> Tensor:
        return self.network((rgb - self.mean) / self.std)[-1].mean((2, 3))


def open_eye(file: Path | None = None) -> Eye:
    """With weights from a file of timm's names, else those that a fusion checkpoint holds.

    ColorizeError where there are none.
    """
    if file is not None:
        network = create(BACKBONE, features_only=True, out_indices=(-1,))
        load_pretrained(network, BACKBONE, file)
        return Eye(network)
    for record in list_checkpoints():
        if record.network == "fusion" and record.arguments.get("backbone") == BACKBONE:
            return Eye(load_checkpoint(record.name)[0].backbone.network)
    raise ColorizeError(
        f"The judge needs pretrained weights of {BACKBONE}, and there is no fusion checkpoint "
        "that holds them; point at a file with --backbone-file FILE.safetensors"
    )


def judge(
    models: Sequence[tuple[nn.Module, Record]],
    datasets: Sequence[Dataset],
    split: str,
    device: torch.device,
    eye: Eye,
    seed: int = 0,
) -> Report[JudgeRow]:
    """Accuracy by model and dataset, 0.5 is best.

    A judge for each model, as it ships, learns from the photos of all datasets, cross-fitted:
    each photo, in both versions, is judged by one that has learnt from the other folds alone.
    `fooled` is the share of colorized photos that are taken for originals. The grey control
    shows what the judge can do. ColorizeError where there are fewer photos than two a fold.
    """
    asked, notes = with_split(datasets, split)
    entries = [contestants(*model, device)[0] for model in models]
    entries.append(next(entry for entry in controls(None) if entry.model == GREY))
    eye = eye.to(device)
    seen = {
        dataset.name: _look(entries, read_photos(dataset, split, notes), eye) for dataset in asked
    }
    seen = {name: pairs for name, pairs in seen.items() if pairs}
    counts = {name: len(pairs[entries[0]]) for name, pairs in seen.items()}
    if sum(counts.values()) < 2 * FOLDS:
        raise ColorizeError(f"The judge needs {2 * FOLDS} photos, found {sum(counts.values())}")
    folds = _folds(list(counts.values()), seed)
    names = np.repeat(list(counts), list(counts.values()))
    right = {
        entry: cross_fitted(np.concatenate([pairs[entry] for pairs in seen.values()]), folds)
        for entry in entries
    }
    rows = [
        _row(entry, dataset, right[entry][(names == dataset) | (dataset == "all")])
        for dataset in (*counts, "all")
        for entry in entries
    ]
    settings = {
        "split": split,
        "size": SIZE,
        "backbone": BACKBONE,
        "folds": FOLDS,
        "seed": seed,
        "confidence": _CONFIDENCE,
        "datasets": counts,
        "notes": notes,
    }
    return Report(settings, rows)


def _look(
    entries: Sequence[Contestant], photos: Iterable[np.ndarray], eye: Eye
) -> dict[Contestant, np.ndarray]:
    """Features `(photos, 2, features)` of each photo's original and colorized version."""
    pairs: dict[Contestant, list] = {entry: [] for entry in entries}
    for batch in batches(photos):
        truth = lab_from_rgb(torch.cat([square(photo, SIZE) for photo in batch]))
        lightness = {SIZE: truth[:, :1]}
        originals: dict[tuple[int, int], np.ndarray] = {}
        for entry in entries:
            if entry.size not in lightness:
                other = torch.cat([square(photo, entry.size) for photo in batch])
                lightness[entry.size] = lab_from_rgb(other)[:, :1]
            ab = entry.colorize(lightness[entry.size])
            size = tuple(ab.shape[-2:])
            if size not in originals:
                originals[size] = _features(eye, truth, resize(truth[:, 1:], size))
            pairs[entry].append(np.stack((originals[size], _features(eye, truth, ab)), 1))
    return {entry: np.concatenate(some) for entry, some in pairs.items() if some}


def _features(eye: Eye, truth: Tensor, ab: Tensor) -> np.ndarray:
    """Of pictures as users get them: the true L, chroma scaled into gamut, 8 bits."""
    pictures = rgb_from_lab(torch.cat((truth[:, :1], resize(ab, truth.shape[-2:])), 1))
    return eye(to_uint8(pictures).to(eye.mean.device).float() / 255).cpu().numpy()


def _folds(counts: Sequence[int], seed: int) -> np.ndarray:
    """The fold of each photo: at random, each dataset spread over all of them."""
    random, before = np.random.default_rng(seed), np.cumsum([0, *counts[:-1]])
    parts = [n + random.permutation(count) for n, count in zip(before, counts, strict=True)]
    return np.concatenate(parts) % FOLDS


def cross_fitted(pairs: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Whether each version `(photos, 2)` is told for what it is, from features `(photos, 2, d)`.

    Ridge regression on -1 for originals and 1 for colorized; its strength is the best of a few
    on the fold after the one judged.
    """
    right = np.zeros(pairs.shape[:2], bool)
    labels = np.array([_ORIGINAL, _COLORIZED])
    for fold in range(FOLDS):
        judged, spare = folds == fold, folds == (fold + 1) % FOLDS
        trials = _fit(pairs[~judged & ~spare], labels, _RIDGES)
        accuracies = [np.mean(trial(pairs[spare]) * labels > 0) for trial in trials]
        ridge = _RIDGES[int(np.argmax(accuracies))]
        (fitted,) = _fit(pairs[~judged], labels, (ridge,))
        right[judged] = fitted(pairs[judged]) * labels > 0
    return right


def _fit(pairs: np.ndarray, labels: np.ndarray, ridges: Sequence[float]) -> list[Scores]:
    """A function of features `(n, 2, d)` -> scores `(n, 2)` for each strength of the ridge."""
    features = pairs.reshape(-1, pairs.shape[-1]).astype(np.float64)
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    features = (features - mean) / deviation
    values, vectors = np.linalg.eigh(features.T @ features / len(features))
    target = vectors.T @ (features.T @ np.tile(labels, len(pairs))) / len(features)

    def scores(ridge: float) -> Scores:
        weights = vectors @ (target / (values + ridge))
        return lambda some: ((some - mean) / deviation) @ weights

    return [scores(ridge) for ridge in ridges]


def _row(entry: Contestant, dataset: str, right: np.ndarray) -> JudgeRow:
    fooled = float(1 - right[:, 1].mean())
    where = (entry.model, dataset, entry.decoding, entry.shipped, len(right))
    return JudgeRow(*where, *accuracy_interval(right), fooled)


def accuracy_interval(right: np.ndarray) -> tuple[float, float | None, float | None]:
    """Share of `right` `(photos, 2)` and its 95% interval; photos are the units, not pictures.

    Wilson's interval at the effective number of pictures p (1 - p) / V, where V is the variance
    of the mean over photos (Korn and Graubard 1998), at most all of them. One photo
    gives no interval.
    """
    count = len(right)
    p = float(right.mean())
    if count == 1:
        return p, None, None
    variance = right.mean(1).var(ddof=1) / count
    effective = min(p * (1 - p) / variance, 2 * count) if variance > 0 else count
    t2 = student.ppf((1 + _CONFIDENCE) / 2, count - 1) ** 2 / effective
    half = (t2 * (p * (1 - p) + t2 / 4)) ** 0.5
    return p, float((p + t2 / 2 - half) / (1 + t2)), float((p + t2 / 2 + half) / (1 + t2))

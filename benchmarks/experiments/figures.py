"""The figures of docs/experiments.md.

    python -m benchmarks.experiments.figures --model NAME --data DATA

The photo in them is scikit-image's astronaut (NASA, public domain). Of a dataset's photos, only
numbers are drawn.
"""

from pathlib import Path
from typing import Annotated

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
import typer
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullFormatter
from scipy.stats import spearmanr
from skimage.data import astronaut

from colorize.color import bins
from colorize.color.lab import lab_from_rgb, rgb_from_lab
from colorize.data.datasets import find_datasets
from colorize.errors import ColorizeError
from colorize.evaluation.scores import SIZE, contestants, read_photos, score_photos, square
from colorize.inference.predict import decode, run_network
from colorize.models.checkpoint import load_checkpoint

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PIXELS = ((0.23, 0.42), (0.66, 0.30), (0.09, 0.86), (0.06, 0.6))  # (row, column), as shares
_DOTS = 80  # an inch


def bins_figure(model: str) -> plt.Figure:
    """The 313 bins in the ab plane and what a model over bins predicts at a few pixels.

    After figure 1 of the second paper. Raises ColorizeError for a model that is not over bins.
    """
    network, record = load_checkpoint(model)
    if not record.over_bins:
        raise ColorizeError(f"{record.name} is not a model over bins; name one that is")
    rgb = square(astronaut(), record.size)
    lab = lab_from_rgb(rgb)
    output = run_network(network, record, lab[:, :1])
    probabilities = output.softmax(1)[0].numpy()
    decoded = decode(network, record, output)[0].numpy()
    figure, axes = plt.subplots(1, 2 + len(PIXELS), figsize=(3.1 * (2 + len(PIXELS)), 3.3))
    axes[0].imshow(lab[0, 0].numpy(), cmap="gray", vmin=0, vmax=100)
    axes[0].set_title("L")
    axes[0].axis("off")
    _draw_bins(axes[1], 60.0, np.full(bins.COUNT, 1.0))
    axes[1].set_title("the 313 bins, at L = 60")
    sides = np.array(lab.shape[-2:])
    for number, (place, axis) in enumerate(zip(PIXELS, axes[2:], strict=True), 1):
        row, column = (np.array(place) * sides).astype(int)
        small = tuple((np.array(place) * decoded.shape[-2:]).astype(int))
        axes[0].plot(column, row, "o", mfc="none", mec="tab:orange")
        axes[0].annotate(str(number), (column, row), (4, 4), textcoords="offset points", c="orange")
        p = probabilities[:, small[0], small[1]]
        _draw_bins(axis, float(lab[0, 0, row, column]), (p / p.max()) ** 0.5)
        axis.plot(*lab[0, [2, 1], row, column].tolist(), "x", c="black", label="truth")
        axis.plot(*decoded[::-1, small[0], small[1]], "o", mfc="none", mec="black", label="decoded")
        axis.set_title(f"pixel {number}")
    axes[2].legend(loc="lower left", fontsize="x-small")
    figure.tight_layout()
    return figure


def _draw_bins(axis: Axes, L: float, sizes: np.ndarray) -> None:
    """The bins in their colours at L; `sizes` in [0, 1] are those of the dots."""
    centres = bins.centres()
    lab = torch.cat((torch.full((1, bins.COUNT), L), centres.T))[:, None]
    colours = rgb_from_lab(lab)[:, 0].T.numpy()
    a, b = centres.T.numpy()
    axis.scatter(b, a, s=2, c="lightgrey")
    axis.scatter(b, a, s=45 * sizes, c=colours, edgecolors="grey", linewidths=0.2, marker="s")
    axis.set(xlabel="b", ylabel="a", aspect="equal", xlim=(-115, 105), ylim=(105, -95))


def lab_figure() -> plt.Figure:
    """A photo and its L, a and b, each with the others flat, after figure 2 of the first paper."""
    photo = astronaut()
    lab = lab_from_rgb(torch.from_numpy(photo.copy()).permute(2, 0, 1).float() / 255)
    alone = [torch.tensor([70.0, 0, 0]).view(3, 1, 1).repeat(1, *lab.shape[1:]) for _ in lab]
    for channel, picture in enumerate(alone):
        picture[channel] = lab[channel]
    pictures = [photo, *(rgb_from_lab(picture).permute(1, 2, 0).numpy() for picture in alone)]
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.5))
    for axis, picture, title in zip(axes, pictures, ("photo", "L", "a", "b"), strict=True):
        axis.imshow(picture)
        axis.set_title(title)
        axis.axis("off")
    figure.tight_layout()
    return figure


def contrast_figure(data: Path, model: str) -> tuple[plt.Figure, list[str]]:
    """A model's squared error on each `test` photo against the photo's colour contrast.

    Colour contrast is the deviation of ab from its mean over the photo, in CIELAB units. Also
    the lines of a Markdown table with the rank correlations and the error by thirds of contrast.
    """
    network, record = load_checkpoint(model)
    entry = contestants(network, record, torch.device("cpu"))[-1]
    figure, axis = plt.subplots(figsize=(6.5, 4.5))
    table = [
        "| dataset | photos | Spearman's rho | MSE, low contrast | middle | high |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    contrasts, errors = [], []
    for dataset in find_datasets(data):
        photos = list(read_photos(dataset, "test", []))
        if not photos:
            continue
        contrast = np.array([colour_contrast(photo) for photo in photos])
        scores = score_photos([entry], photos, figures=("mse",))[entry]
        mse = np.array([row["mse"] for row in scores])
        axis.scatter(contrast, mse, s=7, alpha=0.6, label=dataset.name)
        table.append(_table_row(dataset.name, contrast, mse))
        contrasts.append(contrast)
        errors.append(mse)
    table.append(_table_row("all", np.concatenate(contrasts), np.concatenate(errors)))
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(FixedLocator([1, 2, 5, 10, 20, 50]))
    axis.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set(yscale="log", xlabel="colour contrast of the photo (ab units)")
    axis.set(ylabel="MSE of ab / 128", title=f"{record.name}, {entry.decoding or 'as it is'}")
    axis.legend()
    figure.tight_layout()
    return figure, table


def colour_contrast(pixels: np.ndarray) -> float:
    """Root mean squared distance of ab from its mean over a photo, uint8 `(h, w, 3)`."""
    ab = lab_from_rgb(square(pixels, SIZE))[0, 1:].double()
    return float((ab - ab.mean((1, 2), keepdim=True)).square().sum(0).mean().sqrt())


def _table_row(name: str, contrast: np.ndarray, mse: np.ndarray) -> str:
    rho = spearmanr(contrast, mse).statistic
    thirds = [mse[part].mean() for part in np.array_split(np.argsort(contrast), 3)]
    return f"| {name} | {len(mse)} | {rho:.2f} | {' | '.join(f'{x:.5f}' for x in thirds)} |"


def main(
    model: Annotated[str, typer.Option(metavar="NAME", help="A model over bins.")] = "default",
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Datasets, for the one on contrast.")
    ] = None,
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR")] = FOLDER,
) -> None:
    """Draw the figures of docs/experiments.md."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lab_figure().savefig(folder / "lab.png", dpi=_DOTS * 0.75)  # photos take room
        bins_figure(model).savefig(folder / "bins.png", dpi=_DOTS)
        if data is not None:
            figure, table = contrast_figure(data, model)
            figure.savefig(folder / "contrast.png", dpi=_DOTS)
            typer.echo("\n".join(table))
    except ColorizeError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)

"""What every plot is drawn with: colours that are the page's, light or dark, and SVG.

Figures are made and drawn without pyplot, so that nothing is shared between threads.
"""

import io
import re
from collections.abc import Sequence
from html import escape

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from turing.analysis.analysis import Results

WIDE, NARROW = 7.6, 3.7  # inches: a page's width, a phone's

# Matplotlib draws in these; the page's CSS variables take their place.
INK, MUTED, GRID, PAPER = "#0a0001", "#0a0002", "#0a0003", "#0a0004"
MODELS = tuple(f"#0a001{i}" for i in range(8))
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    PAPER: "--paper",
    **{color: f"--model-{i}" for i, color in enumerate(MODELS)},
}
_OUTSIDE = (INK, "#5b6470", "#d5d9df", "#ffffff")
# Okabe and Ito 2008: told apart by the colour-blind too.
_OUTSIDE_MODELS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#8c6d00", "#56b4e9")
_FALLBACK = dict(
    zip(_VARIABLES, ("#1d2129", *_OUTSIDE[1:], *_OUTSIDE_MODELS, "#666666"), strict=True)
)


def model_colors(results: Results) -> dict[str, str]:
    """The colour of each model, as the plots draw it."""
    models = results.data.study.models
    return {model: MODELS[i % len(MODELS)] for i, model in enumerate(models)}


def css_color(color: str) -> str:
    """What a page has for a plot's colour; outside a page a fixed one."""
    return f"var({_VARIABLES[color]}, {_FALLBACK[color]})"


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot()
    figure.patch.set_visible(False)
    axes.patch.set_visible(False)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)
    axes.tick_params(colors=INK, labelsize=9, length=3, color=GRID)
    axes.xaxis.label.set(color=MUTED, fontsize=9)
    axes.yaxis.label.set(color=MUTED, fontsize=9)
    return figure, axes


def row_labels(axes: Axes, labels: Sequence[str]) -> None:
    """One label a row, from the top."""
    drawn = [drawable(label) for label in labels]
    axes.set_yticks(range(len(drawn)), drawn, parse_math=False)
    axes.tick_params(axis="y", length=0)


def drawable(text: str) -> str:
    """Text with a box for each letter that the plots' font lacks; tables have it whole."""
    known = get_font(findfont("DejaVu Sans")).get_charmap()
    return "".join(c if c == "\n" or ord(c) in known else "\u25a1" for c in text)


def svg_of(figure: Figure, description: str, name: str) -> str:
    """The figure as an <svg> element, its ids its own, its colours the page's."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    ids = dict.fromkeys(re.findall(r'\bid="([^"]+)"', svg))
    short = {old: f"{name}-{i}" for i, old in enumerate(ids)}
    svg = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{short[m[1]]}"', svg)
    svg = re.sub(r'href="#([^"]+)"', lambda m: f'href="#{short[m[1]]}"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{short[m[1]]})", svg)
    for color in _VARIABLES:
        svg = svg.replace(color, css_color(color))
    opening = svg[: svg.index(">")]
    size = re.search(r'viewBox="([^"]+)"', opening)
    box = size[1] if size else "0 0 1 1"
    label = escape(description, quote=True)
    attributes = (
        f'viewBox="{box}" role="img" aria-label="{label}" class="plot"'
        ' stroke-linejoin="round" stroke-linecap="butt"'
        ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    return f"<svg {attributes}{svg[svg.index('>') :]}".strip()

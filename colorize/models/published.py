"""The published weights that are known here: whose, how they are run, where they are. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNMEASURED = "published weights, not measured here"

_ZHANG = "BSD-2-Clause, Richard Zhang and others, https://github.com/richzhang/colorization"
_DDCOLOR = "Apache-2.0, Xiaoyang Kang and others, https://github.com/piddnad/DDColor"
_DEOLDIFY = "MIT, Jason Antic, https://github.com/jantic/DeOldify"


@dataclass(frozen=True)
class Family:
    """What the published weights of one network have in common: what a file does not say.

    `size` is the working size, `stretch` whether the authors stretch photos to a square.
    """

    licence: str
    size: int
    lightness: tuple[float, float] = (50.0, 50.0)
    decoding: Mapping[str, Any] = field(default_factory=lambda: {"kind": "direct"})
    stretch: bool = True


# By the network's name: sizes and, but for Zhang's, stretching are the authors' own. Theirs are
# convolutions alone, which see things in their own shape when the aspect is kept.
FAMILIES = {
    "zhang": Family(
        _ZHANG, 256, (50.0, 100.0), {"kind": "annealed-mean", "temperature": 1.0}, stretch=False
    ),
    "siggraph17": Family(_ZHANG, 256, (50.0, 100.0), stretch=False),
    "deoldify": Family(_DEOLDIFY, 560),
    "ddcolor": Family(_DDCOLOR, 512),
}


@dataclass(frozen=True)
class Cost:
    """What a model takes, as in the README's table, which `python -m benchmarks models` renews.

    `kept`: megabytes of its file here, in fp16. `seconds`, and `memory` in megabytes at most: for a
    photo of 12 megapixels, from file to file, on two cores of a CPU.
    """

    kept: int
    seconds: float
    memory: int

    def __str__(self) -> str:
        return (
            f"Some {self.seconds:.1f} s and {self.memory / 1000:.1f} GB for 12 megapixels on two "
            "CPU cores"
        )


@dataclass(frozen=True)
class Variant:
    """A model of a network: the arguments that make it, and what people are told of it."""

    network: str
    arguments: Mapping[str, Any]
    title: str
    good_at: str
    cost: Cost

    @property
    def summary(self) -> str:
        """With what it costs, for that is why one would not choose it."""
        return f"{self.good_at}. {self.cost}"


VARIANTS = {
    "zhang": Variant(
        "zhang",
        {},
        "Zhang et al. 2016",
        "Colorful Image Colorization: vivid, at times too much",
        Cost(64, 1.2, 572),
    ),
    "siggraph17": Variant(
        "siggraph17",
        {},
        "Zhang et al. 2017",
        "Careful with colour, and follows colour hints",
        Cost(68, 1.8, 793),
    ),
    "ddcolor-tiny": Variant(
        "ddcolor",
        {"encoder": "convnext_tiny"},
        "DDColor tiny",
        "Kang et al. 2023, the small model: vivid",
        Cost(110, 2.4, 970),
    ),
    "ddcolor-large": Variant(
        "ddcolor",
        {"encoder": "convnext_large"},
        "DDColor",
        "Kang et al. 2023: vivid, among the best known",
        Cost(456, 4.0, 2061),
    ),
    "deoldify-artistic": Variant(
        "deoldify",
        {"encoder": "resnet34", "wide": False},
        "DeOldify artistic",
        "Antic 2019, for old photos: the more colourful model, and slow on a CPU",
        Cost(127, 15.6, 2793),
    ),
    "deoldify-stable": Variant(
        "deoldify",
        {"encoder": "resnet101", "wide": True},
        "DeOldify stable or video",
        "Antic 2019, for old photos of people and for films: slow on a CPU",
        Cost(437, 13.4, 3157),
    ),
}


def variant_of(network: str, arguments: Mapping[str, Any]) -> Variant:
    """The model that a network with these arguments is."""
    return next(
        one for one in VARIANTS.values() if (one.network, one.arguments) == (network, arguments)
    )


@dataclass(frozen=True)
class Fetchable:
    """Published weights on the Hugging Face hub. `megabytes` is what is fetched, about, and `kept`
    what of that is kept here.
    """

    network: str
    repository: str
    title: str
    summary: str
    megabytes: int
    kept: int
    licence: str = _DDCOLOR


def _ddcolor(repository: str, title: str, what: str, size: str, megabytes: int) -> Fetchable:
    cost = VARIANTS[f"ddcolor-{size}"].cost
    summary = f"Kang et al. 2023, {what}. {cost}"
    return Fetchable("ddcolor", f"piddnad/{repository}", title, summary, megabytes, cost.kept)


FETCHABLE = {
    "ddcolor-tiny": _ddcolor(
        "ddcolor_paper_tiny", "DDColor tiny", "the small model: vivid", "tiny", 221
    ),
    "ddcolor-large": _ddcolor(
        "ddcolor_modelscope", "DDColor", "the authors' default: vivid", "large", 912
    ),
    "ddcolor-artistic": _ddcolor(
        "ddcolor_artistic", "DDColor artistic", "with fewer odd colours", "large", 912
    ),
    "ddcolor-paper": _ddcolor(
        "ddcolor_paper", "DDColor of the paper", "as in the paper", "large", 912
    ),
}

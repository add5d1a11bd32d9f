"""The published weights that are known here: whose, how they are run, where they are. No torch."""

from dataclasses import dataclass, field
from typing import Any

UNMEASURED = "published weights, not measured here"

_DIRECT = {"kind": "direct"}
_ZHANG = "BSD-2-Clause, Richard Zhang and others, https://github.com/richzhang/colorization"
_DDCOLOR = "Apache-2.0, Xiaoyang Kang and others, https://github.com/piddnad/DDColor"
_DEOLDIFY = "MIT, Jason Antic, https://github.com/jantic/DeOldify"


@dataclass(frozen=True)
class Family:
    """What the published weights of one network have in common: what a file does not say.

    `size` is the working size, `stretch` whether the authors stretch photos to a square.
    """

    title: str
    summary: str
    licence: str
    size: int
    lightness: tuple[float, float] = (50.0, 50.0)
    decoding: dict[str, Any] = field(default_factory=lambda: dict(_DIRECT))
    stretch: bool = True


# By the network's name. Sizes and stretching are the authors' own settings.
FAMILIES = {
    "zhang": Family(
        "Zhang et al. 2016",
        "Colorful Image Colorization, vivid",
        _ZHANG,
        256,
        (50.0, 100.0),
        {"kind": "annealed-mean", "temperature": 1.0},
        stretch=False,
    ),
    "siggraph17": Family(
        "Zhang et al. 2017",
        "Real-Time User-Guided Image Colorization, follows hints",
        _ZHANG,
        256,
        (50.0, 100.0),
        stretch=False,
    ),
    "deoldify": Family("DeOldify", "DeOldify by Jason Antic, for old photos", _DEOLDIFY, 560),
    "ddcolor": Family("DDColor", "DDColor by Kang et al. 2023, the best known", _DDCOLOR, 512),
}


@dataclass(frozen=True)
class Fetchable:
    """Published weights on the Hugging Face hub. `megabytes` is what is fetched, about."""

    network: str
    repository: str
    title: str
    summary: str
    megabytes: int
    licence: str = _DDCOLOR


FETCHABLE = {
    "ddcolor-tiny": Fetchable(
        "ddcolor",
        "piddnad/ddcolor_paper_tiny",
        "DDColor tiny",
        "DDColor by Kang et al. 2023, its small model: about 30 times the U-Net's time",
        221,
    ),
    "ddcolor-large": Fetchable(
        "ddcolor",
        "piddnad/ddcolor_modelscope",
        "DDColor",
        "DDColor by Kang et al. 2023, the authors' default, vivid: about 70 times the U-Net's time",
        912,
    ),
    "ddcolor-artistic": Fetchable(
        "ddcolor",
        "piddnad/ddcolor_artistic",
        "DDColor artistic",
        "DDColor by Kang et al. 2023, with fewer odd colours: about 70 times the U-Net's time",
        912,
    ),
    "ddcolor-paper": Fetchable(
        "ddcolor",
        "piddnad/ddcolor_paper",
        "DDColor of the paper",
        "DDColor by Kang et al. 2023, as in the paper: about 70 times the U-Net's time",
        912,
    ),
}

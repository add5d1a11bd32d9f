"""Where a photo shows the same as another one: features of the U-Net's backbone, compared.

After He et al. 2018, "Deep Exemplar-based Colorization" (3.1, features of a classifier compared in
both directions), and Zhang et al. 2019, "Deep Exemplar-based Video Colorization" (3.1, soft
attention over all places). No weights are trained for it. The features are the mean of those of the
picture and of its mirror image, so that a thing that looks the other way is found as well: with the
picture's own alone two thirds as many places are found again.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from colorize.errors import ColorizeError
from colorize.inference.predict import resize
from colorize.models.checkpoint import load_checkpoint
from colorize.models.record import Record, find_record, list_checkpoints

WITH_FEATURES = "unet"  # the network whose features are compared

_STRIDES = (2, 3)  # of the features that are compared, 8 and 16, as places in the backbone's list
_STEP = 32  # pixels of which the sides that the backbone sees are multiples
_SIDE = 192  # pixels of a photo's short side as the backbone sees it
_REFERENCE_SIDES = (192, 128)  # of a reference's: its things may be larger than the photo's
_SOFTNESS = 0.05  # of the cosines at which the attention is shared out
_NEAR = 0.08  # of the short side: there and back again no farther is mutual

Features = Callable[[Tensor], Sequence[Tensor]]


class Places(NamedTuple):
    """A picture cut into places, row by row: of each a vector of features a stride `(C, n)`, its
    Lab `(3, n)`, and where it lies `(2, n)`: x and y in [0, 1]. grid: rows and columns.
    """

    features: tuple[Tensor, ...]
    lab: Tensor
    at: Tensor
    grid: tuple[int, int]


class Matches(NamedTuple):
    """Of each of a photo's n places what is like it in a reference.

    ab `(2, n)`: the colours there, by soft attention. at `(2, n)`: where the most like place lies,
    x and y in [0, 1]. witnesses `(k, n)`: what tells how sure that is, by `WITNESSES`.
    """

    ab: Tensor
    at: Tensor
    witnesses: Tensor


WITNESSES = (
    "like", "finely", "coarsely", "there and back", "mutual", "rough", "spread", "lightness",
    "all like", "all mutual", "all rough",
)  # fmt: skip


class Matcher:
    """Finds places alike by a network's features, or by the U-Net's where it has none.

    ColorizeError where there is no U-Net.
    """

    def __init__(self, network: nn.Module, record: Record, device: torch.device) -> None:
        if not hasattr(network, "describe_all"):
            network, record = load_checkpoint(_record_with_features(), device)
        self._network, self._lightness, self._device = network, record.lightness, device

    def places(self, lab: Tensor) -> Places:
        """The places of a photo, Lab `(3, h, w)`."""
        return places(self._features, lab)

    def places_of_reference(self, lab: Tensor) -> Places:
        """Those of a reference, Lab `(3, h, w)`, at several sizes, all in one row."""
        return reference_places(self._features, lab)

    def _features(self, L: Tensor) -> Sequence[Tensor]:
        centre, scale = self._lightness
        found = self._network.describe_all((L.to(self._device) - centre) / scale)
        return [one.float().cpu() for one in found]


def _record_with_features() -> Path:
    found = next((one for one in list_checkpoints() if one.network == WITH_FEATURES), None)
    if found is None:
        raise ColorizeError(
            "reference: what two photos have in common is found by the U-Net, which is not among "
            "the checkpoints here; put it there, or leave the reference out"
        )
    return find_record(found.name)


def places(features: Features, lab: Tensor, side: int = _SIDE) -> Places:
    """The places of a picture, Lab `(3, h, w)`; its short side has `side` pixels for the backbone.

    features: L `(N, 1, H, W)` in [0, 100] to the backbone's features at strides 2, 4, 8, 16 ...
    """
    scale = side / min(lab.shape[-2:])
    shape = [max(_STEP, round(one * scale / _STEP) * _STEP) for one in lab.shape[-2:]]
    L = F.interpolate(lab[None, :1], shape, mode="bilinear", align_corners=False, antialias=True)
    both = features(torch.cat((L, L.flip(-1))))
    found = [(both[one][0] + both[one][1].flip(-1)).float() / 2 for one in _STRIDES]
    rows, columns = grid = tuple(found[0].shape[-2:])
    found = [
        F.interpolate(one[None], grid, mode="bilinear", align_corners=False)[0] for one in found
    ]
    y, x = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows, (torch.arange(columns) + 0.5) / columns, indexing="ij"
    )
    return Places(
        tuple(one.flatten(1) for one in found),
        resize(lab[None], grid)[0].flatten(1),
        torch.stack((x, y)).flatten(1),
        grid,
    )


def reference_places(features: Features, lab: Tensor) -> Places:
    """The places of a reference at several sizes, all in one row; its grid is the first one's."""
    some = [places(features, lab, side) for side in _REFERENCE_SIDES]
    joined = zip(*(one.features for one in some), strict=True)
    return Places(
        tuple(torch.cat(one, 1) for one in joined),
        torch.cat([one.lab for one in some], 1),
        torch.cat([one.at for one in some], 1),
        some[0].grid,
    )


def match(photo: Places, reference: Places) -> Matches:
    """What is like each place of the photo in the reference."""
    each = [_cosines(*pair) for pair in zip(photo.features, reference.features, strict=True)]
    cosines = sum(each) / len(each)
    like, best = cosines.max(1)
    attention = ((cosines - like[:, None]) / _SOFTNESS).softmax(1)
    L, *_ = reference.lab @ attention.T
    ab = reference.lab[1:] @ attention.T
    spread = (reference.lab[1:].square() @ attention.T - ab.square()).sum(0).clamp(min=0).sqrt()
    rows, columns = photo.grid
    # Back again: whose most like place of the photo is this one, or one beside it.
    back = cosines.argmax(0)[best]
    here = torch.arange(rows * columns)
    away = torch.hypot(
        (back // columns - here // columns).float(), (back % columns - here % columns).float()
    ) / min(rows, columns)
    mutual = (away < _NEAR).float()
    at = reference.at[:, best]
    rough = _roughness(at.view(2, rows, columns)).flatten()
    of_all = [one.mean().expand_as(like) for one in (like, mutual, rough)]
    own = [one.gather(1, best[:, None])[:, 0] for one in each]
    lightness = (photo.lab[0] - L).abs() / 100
    witnesses = (like, *own, away.clamp(max=0.5), mutual, rough, spread / 20, lightness, *of_all)
    return Matches(ab, at, torch.stack(witnesses))


def _cosines(photo: Tensor, reference: Tensor) -> Tensor:
    """`(n, m)` of features `(C, n)` and `(C, m)`, less the mean of both pictures."""
    mean = (photo.mean(1, keepdim=True) + reference.mean(1, keepdim=True)) / 2
    return F.normalize(photo - mean, dim=0).T @ F.normalize(reference - mean, dim=0)


def _roughness(at: Tensor) -> Tensor:
    """`(h, w)`: how far, in the median, the neighbours' places `(2, h, w)` lie from one's own."""
    rows, columns = at.shape[1:]
    framed = F.pad(at[None], (1, 1, 1, 1), mode="replicate")[0]
    around = [
        framed[:, row : row + rows, column : column + columns]
        for row in range(3)
        for column in range(3)
        if (row, column) != (1, 1)
    ]
    return (torch.stack(around) - at).norm(dim=1).median(0).values.clamp(max=0.5)

"""Published names and weights to those of a network here.

Weights that are normalised while training (by their spectrum: Miyato et al. 2018, 2.1; by their
length: Salimans and Kingma 2016, 2) are worked out once, so that running them costs nothing.
"""

import re
from collections.abc import Callable, Iterable
from math import prod
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from torch import Size, Tensor, nn

from colorize.models.record import CheckpointError

_is_counter = re.compile(r"num_batches_tracked$").search  # which only training reads


class _Form(NamedTuple):
    """What a weight is published as: ends of names, their shapes by the weight's, and the way."""

    ends: tuple[str, ...]
    shapes: Callable[[Size], tuple[tuple[int, ...], ...]]
    make: Callable[..., Tensor]


def _by_spectrum(weight: Tensor, u: Tensor, v: Tensor) -> Tensor:
    return weight / (u @ weight.flatten(1) @ v)


def _by_length(g: Tensor, v: Tensor) -> Tensor:
    return v * (g / v.flatten(1).norm(dim=1).view(g.shape))


_FORMS = (
    _Form(("",), lambda shape: (shape,), lambda weight: weight),
    _Form(
        ("_orig", "_u", "_v"), lambda shape: (shape, shape[:1], (prod(shape[1:]),)), _by_spectrum
    ),
    _Form(("_g", "_v"), lambda shape: ((shape[0], *[1] * (len(shape) - 1)), shape), _by_length),
)


def fold(state: dict[str, Tensor], network: nn.Module, file: Path) -> dict[str, Tensor]:
    """The tensors of `state`, under published names, as `network` bears them; `state` is emptied.

    A network may have `published_name`, from its own to the published name, and `left_out`, which
    is true of published names that it does without. CheckpointError names the `file` and the
    first tensor that is missing, unknown or of another shape.
    """
    published_name = getattr(network, "published_name", lambda name: name)
    left_out = getattr(network, "left_out", lambda name: False)
    for name in [name for name in state if _is_counter(name) or left_out(name)]:
        del state[name]
    wanted = {
        own: (published_name(own), value.shape)
        for own, value in network.state_dict().items()
        if not _is_counter(own)
    }
    forms = {own: _form_of(name, state) for own, (name, _) in wanted.items()}
    parts = {own: [wanted[own][0] + end for end in form.ends] for own, form in forms.items()}
    known = {part for names in parts.values() for part in names}
    _refuse(file, "lacks", known - state.keys())
    _refuse(file, "has unknown", state.keys() - known)
    found = {}
    for own, (_, shape) in wanted.items():
        given = [state.pop(part).float() for part in parts[own]]
        for part, value, expected in zip(parts[own], given, forms[own].shapes(shape), strict=True):
            if value.shape != expected:
                raise CheckpointError(
                    f"{file}: expected {part} of shape {tuple(expected)}, "
                    f"found {tuple(value.shape)}"
                )
        found[own] = forms[own].make(*given)
    return found


def _form_of(name: str, state: dict[str, Tensor]) -> _Form:
    """The form that most of is there, the plain one where nothing is."""
    return max(_FORMS, key=lambda form: fmean(name + end in state for end in form.ends))


def _refuse(file: Path, what: str, names: Iterable[str]) -> None:
    if names := sorted(names):
        raise CheckpointError(f"{file}: {what} {len(names)} tensors, first {names[0]}")

"""Whether what was built gives anything away but its colours: `build --check`."""

from collections.abc import Mapping
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from turing.errors import TuringError
from turing.statistics.fractions import Fraction
from turing.stimuli import png
from turing.stimuli import render as stimuli
from turing.stimuli.judge import judge_without_chroma, look, simulated_trials
from turing.stimuli.progress import Progress, quiet
from turing.store.store import Store, Version

MOST = 0.5  # in L, between the halves of a picture, at the 99th percentile


class Checked(NamedTuple):
    """`lightness`: the largest 99th percentile of |dL| of all pairs; 0 where there are none.

    `guessed` is how often `judge_without_chroma` was right. `faults` has a line for each thing that
    is not as it must be.
    """

    pictures: int
    lightness: float
    guessed: Fraction
    faults: tuple[str, ...]


def check(store: Store, progress: Progress = quiet) -> Checked:
    """Look at every picture of the present version. TuringError where nothing has been built."""
    number = store.facts().version
    if number is None:
        raise TuringError(f"{store.path}: expected a study that is built, found none")
    with store.reading() as db:
        version = store.version(db, number)
        names = {
            row[0]: row[1:] for row in db.execute("SELECT id, sha256, png_sha256 FROM stimuli")
        }
    looked, lengths, faults, lightness = {}, set(), [], 0.0
    for done, ((_, parts), (stimulus, _)) in enumerate(version.stimuli.items(), 1):
        name, png_sha256 = names[stimulus]
        path = store.picture_path(name)
        picture = path.read_bytes() if path.is_file() else b""
        if sha256(picture).hexdigest() != png_sha256:
            raise TuringError(f"{path}: expected the picture as it was built; build again")
        chunks = [chunk for chunk, _ in png.chunks(picture)]
        if chunks != ["IHDR", "IDAT", "IEND"]:
            faults.append(
                f"{path.name}: expected IHDR, IDAT, IEND alone, found {', '.join(chunks)}"
            )
        if len(parts) == 2:
            lightness = max(lightness, difference_in_lightness(picture))
        looked[stimulus] = look(picture, len(parts))
        lengths.add(len(picture))
        progress("check", done, len(version.stimuli))
    if lightness > MOST:
        faults.append(f"lightness of two halves differs by {lightness:.2f}, more than {MOST}")
    if version.study.protocol == "single" and len(lengths) > 1:
        faults.append(f"expected pictures of one length, found {len(lengths)} lengths")
    guessed = _guessed(version, looked)
    if not guessed.low <= 0.5 <= guessed.high:
        faults.append(
            f"without colours, a program is right {guessed.estimate:.3f} of the time "
            f"[{guessed.low:.3f}, {guessed.high:.3f}]: something else tells"
        )
    return Checked(len(looked), lightness, guessed, tuple(faults))


def difference_in_lightness(picture: bytes) -> float:
    """The 99th percentile of |dL| between the halves of a PNG."""
    with Image.open(BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"))
    one, other = (stimuli.lightness_of(half) for half in np.split(pixels, 2, axis=1))
    return float(np.quantile(np.abs(one - other), 0.99))


def _guessed(version: Version, looked: Mapping[int, np.ndarray]) -> Fraction:
    """The judge's share. One honest study in twenty fails by chance: it gets a second draw."""
    guessed = judge_without_chroma(simulated_trials(version, looked))
    if guessed.low <= 0.5 <= guessed.high:
        return guessed
    others = simulated_trials(version, looked, first=1_000_000)
    return judge_without_chroma(others, seed=1)

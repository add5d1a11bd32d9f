"""Whether what was built gives anything away but its colours: `build --check`.

A program guesses which part is which from all that a trial shows but its colours: the PNG's length
and chunks (not IDAT's bytes, which are the picture), the trial's place in the order, and the
lightness of each part. Where it does better than chance, something leaks.
"""

import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from turing.errors import TuringError
from turing.statistics.fractions import Fraction, turing_fraction
from turing.stimuli import png, render
from turing.stimuli.progress import Progress, quiet
from turing.store.store import Store, Version
from turing.study.draws import KEY_BYTES
from turing.study.trials import Placed, Trial, participant_trials

MOST = 0.5  # in L, between the halves of a picture, at the 99th percentile
TRIALS = 2000

_KEY = bytes(KEY_BYTES)
_CHUNKS = 4  # of which names and lengths are looked at
_BINS = 8
_RIDGE = 30.0


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
    one, other = (render.lightness_of(half) for half in np.split(pixels, 2, axis=1))
    return float(np.quantile(np.abs(one - other), 0.99))


def _guessed(version: Version, looked: Mapping[int, np.ndarray]) -> Fraction:
    """The judge's share. One honest study in twenty fails by chance: it gets a second draw."""
    guessed = judge_without_chroma(simulated_trials(version, looked))
    if guessed.low <= 0.5 <= guessed.high:
        return guessed
    others = simulated_trials(version, looked, first=1_000_000)
    return judge_without_chroma(others, seed=1)


class Shown(NamedTuple):
    """One trial as the judge sees it: a row of numbers, and what it must not be able to tell."""

    seen: np.ndarray
    side: int
    participant: int
    photo: str


def judge_without_chroma(shown: Sequence[Shown], seed: int = 0) -> Fraction:
    """How often the judge is right, with the 95% interval for crossed participants and photos.

    It learns from half of the participants and half of the photos, and guesses what the others
    saw: with a photo in both halves, a picture's exact length would tell which one it is.
    """
    rng = np.random.default_rng(seed)
    people = np.array([one.participant for one in shown])
    photos = np.array([one.photo for one in shown])
    sides = np.array([one.side for one in shown])
    seen = np.stack([one.seen for one in shown]).astype(np.float64)
    own, strange = _halves(people, rng), _halves(photos, rng)
    known, asked = own & strange, ~own & ~strange
    if not known.any() or not asked.any():
        raise TuringError("--check: expected two photos or more to guess by, found one")
    guesses = _guess(seen[known], sides[known], seen[asked])
    return turing_fraction(guesses == sides[asked], people[asked], photos[asked])


def simulated_trials(
    version: Version, looked: Mapping[int, np.ndarray], trials: int = TRIALS, first: int = 1
) -> list[Shown]:
    """What synthetic participants from number `first` on would be shown: 2 x `trials` scored ones.

    `looked` has what `look` saw of each stimulus, by id. Half of the trials are not used: the
    judge must neither learn from photos that it will be asked about nor be asked about people it
    knows. The key is not the study's: any will do, and the same pictures are judged alike.
    """
    shown: list[Shown] = []
    number = first
    while len(shown) < 2 * trials:
        drawn = participant_trials(version.design, _KEY, number)
        for position, trial in enumerate(drawn):
            if trial.kind == "scored":
                stimulus, _ = version.stimuli[Placed(trial.dataset, trial.photo), trial.parts]
                seen = np.append(looked[stimulus], position)
                shown.append(Shown(seen, side_of(trial), number, trial.photo))
        number += 1
    return shown


def side_of(trial: Trial) -> int:
    """What a leak would tell: the original's side, real or colorized, or which model is left."""
    if len(trial.parts) == 1:
        return 0 if trial.parts[0] is None else 1
    if None in trial.parts:
        return trial.parts.index(None)
    return int(trial.parts[0] > trial.parts[1])


def look(picture: bytes, parts: int) -> np.ndarray:
    """All that the judge sees of a PNG, as numbers."""
    chunks = png.chunks(picture)
    header = dict(chunks).get("IHDR", b"").ljust(13, b"\0")
    seen = [len(picture), len(chunks), *header[:13]]
    for name, data in (chunks + [("", b"")] * _CHUNKS)[:_CHUNKS]:
        seen += [zlib.crc32(name.encode()), len(data)]
    with Image.open(BytesIO(picture)) as image:
        pixels = np.asarray(image.convert("RGB"))
    halves = np.array_split(pixels, parts, axis=1)
    described = [describe_lightness(half) for half in halves]
    for one in described:
        seen += one
    if parts == 2:
        seen += (np.array(described[0]) - described[1]).tolist()
    return np.array(seen, dtype=np.float64)


def describe_lightness(pixels: np.ndarray) -> list[float]:
    """Figures of L, and of its grey version, of uint8 sRGB `(h, w, 3)`."""
    grey = render.grey_version(pixels)
    L = render.lightness_of(pixels)
    across, down = np.abs(np.diff(L, axis=1)), np.abs(np.diff(L, axis=0))
    bumps = np.abs(4 * L[1:-1, 1:-1] - L[:-2, 1:-1] - L[2:, 1:-1] - L[1:-1, :-2] - L[1:-1, 2:])
    return [
        float(L.mean()),
        float(L.std()),
        *np.quantile(L, (0.01, 0.1, 0.5, 0.9, 0.99)),
        across.mean(),
        down.mean(),
        across[:, 7::8].mean() - across.mean(),  # JPEG's grid
        down[7::8].mean() - down.mean(),
        bumps.mean(),
        np.square(bumps).mean(),
        *np.quantile(bumps, (0.1, 0.5, 0.9)),
        grey.mean(),
        len(np.unique(grey)),
        len(zlib.compress(grey.tobytes(), 6)),
    ]


def _halves(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random half of the labels, as a mask."""
    names = np.unique(labels)
    return np.isin(labels, rng.permutation(names)[: len(names) // 2])


def _guess(known: np.ndarray, sides: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Ridge regression of the side on which of 8 equally full bins each column falls into."""
    columns = []
    for before, now in zip(known.T, asked.T, strict=True):
        edges = np.unique(np.quantile(before, np.arange(1, _BINS) / _BINS))
        both = np.searchsorted(edges, np.concatenate((before, now)), side="right")
        columns.append(np.eye(len(edges) + 1)[both])
    x = np.concatenate(columns, axis=1)
    x, new = x[: len(known)], x[len(known) :]
    centre = x.mean(axis=0)
    x, new = x - centre, new - centre
    weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ (sides - sides.mean()))
    return (new @ weights > 0).astype(int)

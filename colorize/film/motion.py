"""Motion between pictures of a film at working size: flow, where it is to be trusted, and cuts."""

from dataclasses import dataclass

import numpy as np

from colorize.film.reading import FilmError

_SIGMA_L = 6.0  # of 255: by how much a thing may change its grey from one picture to the next
_MOST_GAIN, _EXPLAINED = 2.0, 0.75  # of contrast, between two pictures; the part it is told by
_SLACK, _SHARE = 0.5, 0.05  # of forward and backward flow: pixels, and of their length
_BINS = 32
# A cut: greys that motion does not explain, and another spread of greys. Where motion explains
# nearly nothing the spread counts for less.
_UNEXPLAINED, _HISTOGRAM = 0.55, 0.16
_HARD_UNEXPLAINED, _HARD_HISTOGRAM = 0.8, 0.06


@dataclass
class Flow:
    """Where each pixel of one picture lies in another.

    vectors: float32 `(h, w, 2)`, x and y in pixels to be added; trust: float32 `(h, w)` in
    [0, 1], how surely the same thing is seen there.
    """

    vectors: np.ndarray
    trust: np.ndarray

    def then(self, further: "Flow") -> "Flow":
        """From the first picture of this flow to the second one of `further`."""
        moved = warp(further.vectors, self.vectors)
        return Flow(self.vectors + moved, np.minimum(self.trust, warp(further.trust, self.vectors)))

    @classmethod
    def still(cls, shape: tuple[int, int]) -> "Flow":
        """Of a picture to itself, `(h, w)`."""
        return cls(np.zeros((*shape, 2), np.float32), np.ones(shape, np.float32))


class Motion:
    """Finds the flow between pictures of one size. Not to be shared by threads.

    Dense inverse search (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search") of
    OpenCV, both ways; trusted where the ways agree (Sundaram et al. 2010, section 3) and the grey
    is the same.
    """

    def __init__(self) -> None:
        cv2 = _cv2()
        self._search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._search.setFinestScale(0)

    def between(self, first: np.ndarray, second: np.ndarray) -> tuple[Flow, Flow]:
        """The flow from the first picture to the second, and back. uint8 `(h, w)` both."""
        if min(first.shape) < _SMALLEST:  # nothing to search in
            return Flow.still(first.shape), Flow.still(first.shape)
        there = self._search.calc(first, second, None)
        back = self._search.calc(second, first, None)
        return (
            Flow(there, _trust(first, second, there, back)),
            Flow(back, _trust(second, first, back, there)),
        )


_SMALLEST = 24


def warp(field: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """float32 `(h, w[, c])` looked up, for each pixel, where `vectors` `(h, w, 2)` point."""
    cv2 = _cv2()
    return cv2.remap(
        field, places(vectors), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def places(vectors: np.ndarray) -> np.ndarray:
    """Positions `(h, w, 2)` that vectors point to."""
    height, width = vectors.shape[:2]
    found = vectors.copy()
    found[..., 0] += np.arange(width, dtype=np.float32)
    found[..., 1] += np.arange(height, dtype=np.float32)[:, None]
    return found


def agreement(first: np.ndarray, second: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """float32 `(h, w)` in [0, 1]: whether the greys of `first` are found in `second`.

    A change of light over the whole picture, as old films flicker and as in a fade, does not count.
    """
    return same_grey(first, warp(second.astype(np.float32), vectors))


def same_grey(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The same of pictures that lie on each other, `(h, w)`, in [0, 255]."""
    first, second = first.astype(np.float32), second.astype(np.float32)
    changes = [first - second, first - _gain(first, second) * second]
    changes = [np.abs(change - np.median(change)) for change in changes]
    change = min(changes, key=np.median)
    cv2 = _cv2()
    change = cv2.blur(change, (3, 3))  # grain is not motion
    return _sure(np.exp(-((change / (2 * _SIGMA_L)) ** 2)))


def _gain(first: np.ndarray, second: np.ndarray) -> float:
    """The contrast of one picture by that of another that it lies on, as a fade changes it: by
    least squares over what it explains best, for things that come or go are no change of light."""
    y, x = first[::2, ::2].ravel(), second[::2, ::2].ravel()
    gain = (y.std() + 1) / (x.std() + 1)
    for _ in range(2):
        apart = y - gain * x
        apart = np.abs(apart - np.median(apart))
        best = apart <= np.quantile(apart, _EXPLAINED)
        some, other = x[best] - x[best].mean(), y[best] - y[best].mean()
        gain = ((some * other).sum() + 1) / ((some * some).sum() + 1)
        gain = np.clip(gain, 1 / _MOST_GAIN, _MOST_GAIN)  # nearly none would explain any picture
    return float(gain)


def is_cut(first: np.ndarray, second: np.ndarray, back: Flow) -> bool:
    """Whether `second` shows another scene than `first`, uint8 `(h, w)`, by the flow `back` from
    it to that."""
    unexplained = 1 - float(back.trust.mean())
    if unexplained < _UNEXPLAINED:
        return False
    apart = _histogram_distance(first, second)
    return apart > _HISTOGRAM or (unexplained > _HARD_UNEXPLAINED and apart > _HARD_HISTOGRAM)


def _histogram_distance(first: np.ndarray, second: np.ndarray) -> float:
    """0 for the same spread of greys, 1 for none in common: how far the greys lie apart, as the
    area between their cumulative histograms, by the contrast."""
    both = [
        np.cumsum(np.bincount(one.ravel() // (256 // _BINS), minlength=_BINS)) / one.size
        for one in (first, second)
    ]
    contrast = max(float(first.std()), float(second.std()), 1.0) * _BINS / 256
    return float(np.abs(both[0] - both[1]).sum()) / (2 * max(contrast, 0.5))


def _trust(
    first: np.ndarray, second: np.ndarray, there: np.ndarray, back: np.ndarray
) -> np.ndarray:
    returned = there + warp(back, there)
    miss = np.hypot(returned[..., 0], returned[..., 1])
    length = np.hypot(there[..., 0], there[..., 1])
    allowed = _SLACK + _SHARE * length
    trust = _sure(np.exp(-((miss / allowed) ** 2))) * agreement(first, second, there)
    at = places(there)
    height, width = first.shape
    inside = (
        (at[..., 0] >= -0.5) & (at[..., 0] <= width - 0.5)
        & (at[..., 1] >= -0.5) & (at[..., 1] <= height - 0.5)
    )  # fmt: skip
    return (trust * inside).astype(np.float32)


def _sure(trust: np.ndarray) -> np.ndarray:
    """Nearly sure is sure, and nearly lost is lost: what lies between would flicker and trail."""
    return np.clip((trust - 0.15) / 0.35, 0, 1)


def _cv2():  # noqa: ANN202 - a module
    try:
        import cv2
    except ImportError as error:
        raise FilmError(
            'Films need OpenCV; get it with: pip install "opencv-python-headless>=4.10,<6"'
        ) from error
    return cv2

"""One picture of a film to the pixels that a photo has, and back with colours."""

from fractions import Fraction
from typing import Any

import numpy as np
from torch import Tensor

from colorize.color.render import render
from colorize.film.reading import About, Frame

_SMALLEST = 16  # what encoders take
_FULL, _LIMITED = 2, 1  # ranges of luma of ITU-T H.273
_MATRICES = {"ITU709": 1, "ITU601": 6}


class Converter:
    """Pictures of one film to upright sRGB of 8 bits and back, in its own matrix and range.

    width: what the pictures are made smaller to, None to leave them. What goes out has even sides,
    as encoders want them: of an odd one the last line is doubled. Not to be shared by threads.
    """

    def __init__(self, about: About, width: int | None = None) -> None:
        from av.video.reformatter import VideoReformatter

        self.about = about
        across, down = about.size
        if width is not None and width < across:
            across, down = width, max(1, round(down * width / across))
        self.size = across, down
        self.out_size = tuple(max(_SMALLEST, side + side % 2) for side in self.size)
        self.matrix, self.range = _MATRICES[about.matrix], _FULL if about.full else _LIMITED
        self._there, self._back = VideoReformatter(), VideoReformatter()
        tables = np.arange(256.0)
        limited = np.clip((tables - 16) * 255 / 219, 0, 255)
        self._grey = np.rint(tables if about.full else limited).astype(np.uint8)

    @property
    def is_padded(self) -> bool:
        return self.out_size != self.size

    def pixels(self, frame: Frame) -> np.ndarray:
        """uint8 sRGB `(h, w)` of a picture without colour, else `(h, w, 3)`, upright."""
        picture = frame.picture
        turned = self.about.rotation % 180 == 90
        width, height = self.size[::-1] if turned else self.size
        if self._is_plain(picture, (width, height)):
            pixels = self._grey[_plane(picture, 0)]
        else:
            pixels = self._converted(picture, width, height)
        return np.ascontiguousarray(np.rot90(pixels, self.about.rotation // 90))

    def _is_plain(self, picture: Any, size: tuple[int, int]) -> bool:
        """Whether luma is all there is of it."""
        name = picture.format.name
        if (picture.width, picture.height) != size:
            return False
        if name == "gray":
            return True
        planar = name.startswith(("yuv4", "yuvj4")) and name.endswith("p")
        return planar and all((_plane(picture, n) == 128).all() for n in (1, 2))

    def _converted(self, picture: Any, width: int, height: int) -> np.ndarray:
        from av.video.reformatter import Interpolation

        of_rgb = picture.format.is_rgb or picture.format.name.startswith("pal")
        exact = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
        smaller = width < picture.width
        kind = Interpolation.AREA if smaller else Interpolation.BICUBIC
        found = self._there.reformat(
            picture,
            width=width,
            height=height,
            format="rgb24",
            src_colorspace="ITU709" if of_rgb else self.about.matrix,
            dst_colorspace="ITU709" if of_rgb else self.about.matrix,
            src_color_range=_FULL if of_rgb or self.about.full else _LIMITED,
            dst_color_range=_FULL,
            interpolation=int(kind | exact),
        )
        pixels = _rows(found.planes[0], 3 * width, height).reshape(height, width, 3)
        if (pixels[..., :1] == pixels).all():
            return pixels[..., 0].copy()
        return pixels.copy()

    def encoded(self, pixels: np.ndarray, ab: Tensor) -> Any:
        """The picture `(h, w[, 3])` with the colours `ab` `(2, h', w')`, for the encoder: YUV
        4:2:0 of `out_size`, in the film's matrix and range. Lightness is the pixels' own."""
        return self.packed(painted(pixels, ab))

    def packed(self, rgb: np.ndarray) -> Any:
        """uint8 sRGB `(h, w, 3)` for the encoder."""
        import av
        from av.video.reformatter import Interpolation

        height, width = rgb.shape[:2]
        (right, below) = (self.out_size[0] - width, self.out_size[1] - height)
        if right or below:
            rgb = np.pad(rgb, ((0, below), (0, right), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
        exact = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP
        return self._back.reformat(
            frame,
            format="yuv420p",
            src_color_range=_FULL,
            dst_colorspace=self.about.matrix,
            dst_color_range=self.range,
            interpolation=int(Interpolation.BICUBIC | exact),
        )

    @property
    def pixel_aspect(self) -> Fraction:
        return self.about.pixel_aspect


def painted(pixels: np.ndarray, ab: Tensor) -> np.ndarray:
    """uint8 sRGB `(h, w, 3)`: the lightness of uint8 `pixels` `(h, w[, 3])`, the colours `ab`."""
    return render(pixels, ab)


def _plane(picture: Any, number: int) -> np.ndarray:
    plane = picture.planes[number]
    return _rows(plane, plane.width, plane.height)


def _rows(plane: Any, width: int, height: int) -> np.ndarray:
    """uint8 `(height, width)`: a view without the padding of each line."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]

"""Coloured pictures to a part of a film: one stream of packets whose times are the film's own."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any

from colorize.errors import ColorizeError
from colorize.film.picture import Converter
from colorize.film.reading import FilmError, library
from colorize.film.settings import ENCODERS

_BT709 = 1  # primaries and curve of ITU-T H.273: those of sRGB, and its curve's neighbour
_KEY_SECONDS = 2  # between pictures that a player can jump to
_THREADS = 2


class PartWriter:
    """Writes one part, an MP4 without sound; `close` ends it well, `discard` deletes it.

    Pictures follow each other in the order in which they are shown (no B-frames): then each one's
    time and duration, the last one's too, are in the file to the tick.
    """

    def __init__(self, file: Path, converter: Converter, codec: str, quality: int) -> None:
        av = library()
        about = converter.about
        self.file, self._durations, self.first = file, {}, None
        self._container = av.open(str(file), "w", format="mp4")
        rate = about.rate.limit_denominator(10**6)
        encoder, options = ENCODERS[codec], _options(codec, quality)
        stream = self._container.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height = converter.out_size
        stream.pix_fmt, stream.time_base = "yuv420p", about.time_base
        context = stream.codec_context
        context.time_base = about.time_base
        context.gop_size = max(1, round(rate * _KEY_SECONDS))
        context.sample_aspect_ratio = _limited(about.pixel_aspect)
        context.colorspace, context.color_range = converter.matrix, converter.range
        context.color_primaries = context.color_trc = _BT709
        context.thread_count = _THREADS
        self._stream = stream

    def add(self, picture: Any, pts: int, duration: int) -> None:
        """A picture of `Converter.encoded`; its time and duration in ticks of the film's clock."""
        if self.first is None:
            self.first = pts
        picture.pts, picture.time_base = pts - self.first, self._stream.codec_context.time_base
        picture.pict_type = 0
        self._durations[pts - self.first] = duration
        self._mux(self._stream.encode(picture))

    def close(self) -> None:
        """Writes what is left. The file is whole and on disk then."""
        self._mux(self._stream.encode(None))
        self._container.close()
        with self.file.open("rb") as opened:
            os.fsync(opened.fileno())

    def discard(self) -> None:
        """Deletes it."""
        self._container.close()
        self.file.unlink(missing_ok=True)

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux(packet)


def check_codec(codec: str) -> None:
    """FilmError where this build of FFmpeg has no encoder for it."""
    av = library()
    try:
        av.Codec(ENCODERS[codec], "w")
    except (av.FFmpegError, ValueError) as error:
        others = ", ".join(name for name in ENCODERS if name != codec)
        raise FilmError(
            f"codec: there is no encoder for {codec} here; try another with --codec: {others}"
        ) from error


def write_error(error: Exception, name: str) -> ColorizeError:
    """One sentence for what an encoder or a disk refused."""
    reason = getattr(error, "strerror", None) or str(error)
    return FilmError(f"{name}: cannot be written ({reason})")


def _options(codec: str, quality: int) -> dict[str, str]:
    """A quality of 100 loses as little as the encoder can; 70, the default, little that is seen."""
    loss = 100 - quality
    if codec == "h264":
        return {"crf": str(min(51, round(0.6 * loss))), "preset": "fast", "bf": "0"}
    if codec == "vp9":
        return {"crf": str(min(63, loss)), "b": "0", "deadline": "good", "cpu-used": "4",
                "row-mt": "1"}  # fmt: skip
    return {"crf": str(max(1, min(63, loss))), "preset": "9"}


def _limited(aspect: Fraction) -> Fraction:
    return aspect.limit_denominator(255)

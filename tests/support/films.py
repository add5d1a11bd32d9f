"""Films for the tests, made up, and what is in a film's file."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import skimage.data
from PIL import Image

CLOCK = Fraction(1, 12800)
RATE = 25
TEXTS = ((400, 300, "Hello"), (1000, 200, "Goodbye"))  # milliseconds, for how long, what


def panned(count=12, height=48, width=64, step=2, photo="camera"):
    """uint8 `(height, width)`, `count` of them: a window that moves over a photo."""
    whole = Image.fromarray(getattr(skimage.data, photo)()).convert("L")
    scale = 1.6 * height / whole.height
    whole = whole.resize(
        (max(width + count * step, round(whole.width * scale)), round(1.6 * height))
    )
    pixels = np.asarray(whole)
    return [pixels[10 : 10 + height, n * step : n * step + width].copy() for n in range(count)]


def write_film(
    file: Path,
    pictures,
    *,
    times=None,
    last=None,
    clock=CLOCK,
    codec="libx264",
    pixel_format="yuv420p",
    matrix=6,
    full=False,
    curve=1,
    aspect=Fraction(1),
    sound=False,
    subtitles="",
    chapters=(),
    metadata=None,
    options=None,
):
    """A film of uint8 `(h, w[, 3])`, at `times` in ticks; subtitles: "mov_text" or "subrip"."""
    step = round(1 / (RATE * clock))
    times = [n * step for n in range(len(pictures))] if times is None else list(times)
    durations = dict(zip(times, [*np.diff(times).tolist(), last or step], strict=True))
    options = options or ({"crf": "10", "bf": "0"} if codec == "libx264" else {})
    with av.open(str(file), "w") as made:
        made.metadata.update(metadata or {})
        made.set_chapters(
            [
                {"id": n, "start": a, "end": b, "time_base": Fraction(1, 1000),
                 "metadata": {"title": title}}
                for n, (a, b, title) in enumerate(chapters)
            ]
        )  # fmt: skip
        video = made.add_stream(codec, rate=RATE, options=options)
        video.height, video.width = pictures[0].shape[:2]
        video.pix_fmt, video.time_base = pixel_format, clock
        context = video.codec_context
        context.time_base, context.sample_aspect_ratio = clock, aspect
        context.colorspace, context.color_range = matrix, 2 if full else 1
        context.color_primaries, context.color_trc = 1, curve
        voice = made.add_stream("aac", rate=44_100) if sound else None
        texts = made.add_mux_stream(subtitles, time_base=Fraction(1, 1000)) if subtitles else None
        made.start_encoding()
        if texts:
            for begin, length, text in TEXTS:
                made.mux(_text(texts, begin, length, text.encode(), subtitles))
        if voice:
            made.mux(_tone(voice, len(pictures) / RATE))
        for pixels, pts in zip(pictures, times, strict=True):
            picture = _picture(pixels, pixel_format, matrix, full)
            picture.pts, picture.time_base = pts, clock
            _mux(made, video, picture, durations)
        _mux(made, video, None, durations)
    return file


def _picture(pixels, pixel_format, matrix, full):
    given = av.VideoFrame.from_ndarray(
        np.ascontiguousarray(pixels), format="gray" if pixels.ndim == 2 else "rgb24"
    )
    coloured = {"dst_colorspace": "ITU709" if matrix == 1 else "ITU601"}
    return given.reformat(
        format=pixel_format,
        src_color_range=2,
        dst_color_range=2 if full else 1,
        interpolation="BICUBIC",
        **({} if pixels.ndim == 2 else coloured),
    )


def _mux(made, video, picture, durations):
    for packet in video.encode(picture):
        packet.duration = durations.get(packet.pts, packet.duration)
        made.mux(packet)


def _text(stream, begin, length, text, kind):
    packet = av.Packet((len(text).to_bytes(2, "big") if kind == "mov_text" else b"") + text)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = begin
    packet.duration = length
    return packet


def _tone(voice, seconds):
    t = np.arange(round(44_100 * seconds), dtype=np.float32) / 44_100
    frame = av.AudioFrame.from_ndarray(
        np.sin(2 * np.pi * 440 * t, dtype=np.float32)[None], format="fltp", layout="mono"
    )
    frame.sample_rate, frame.pts = 44_100, 0
    return voice.encode(frame) + voice.encode(None)


def times_of(file):
    """(time, duration) of each picture in ticks of CLOCK."""
    with av.open(str(file)) as film:
        scale = film.streams.video[0].time_base / CLOCK
        return [(f.pts * scale, f.duration * scale) for f in film.decode(video=0)]


def pictures_of(file):
    """uint8 `(h, w, 3)` of each picture, as a player shows it."""
    with av.open(str(file)) as film:
        return [picture.to_ndarray(format="rgb24") for picture in film.decode(video=0)]


def packets_of(file, kind):
    """(time in seconds, bytes) of each packet of a stream, gaps between subtitles left out."""
    with av.open(str(file)) as film:
        (stream,) = [one for one in film.streams if one.type == kind]
        return [
            (packet.pts * packet.time_base, bytes(packet))
            for packet in film.demux(stream)
            if packet.dts is not None and bytes(packet) != b"\0\0"
        ]

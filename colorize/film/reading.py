"""A film's file: what it holds, what is refused, and its frames one after the other, upright."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

from colorize.errors import ColorizeError, printable
from colorize.photo.formats import sniff

# Demuxers of files, and no others: a playlist could name any file of this machine.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    *("avi", "mpeg", "mpegts", "mpegvideo", "m4v", "h264", "hevc", "vc1", "ivf", "obu", "y4m"),
    *("flv", "asf", "ogg", "gif", "dv", "mxf", "nut", "rm", "apng", "yuv4mpegpipe"),
)
_OPTIONS = {"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "file"}
_PHOTOS = ("JPEG", "PNG", "TIFF", "BMP", "AVIF", "HEIF")
_PQ, _HLG = 16, 18  # transfer curves of ITU-T H.273 that are of high dynamic range
_MOST_PIXELS = 2**26
_MICROSECONDS = 1_000_000
_SHORT = 0.5  # seconds by which a whole film may end before the length that it tells


class FilmError(ColorizeError):
    """A film that cannot be read or written, in one sentence."""


def library() -> ModuleType:
    """PyAV. FilmError, with the command that gets it, where it is not installed."""
    try:
        import av
    except ImportError as error:
        raise FilmError('Films need PyAV; get it with: pip install "av>=18,<19"') from error
    return av


@dataclass(frozen=True)
class About:
    """A film's picture: (width, height) upright, its pixels' shape, clock ticks, rate, length.

    matrix: "ITU601" or "ITU709"; full: whether luma uses all of 0 to 255; rotation: degrees
    that frames are turned by, anticlockwise; shift: seconds that its clock starts at; seconds and
    frames may be None, where the file does not say.
    """

    size: tuple[int, int]
    pixel_aspect: Fraction
    time_base: Fraction
    rate: Fraction
    matrix: str
    full: bool
    rotation: int
    shift: Fraction
    seconds: float | None
    frames: int | None


@dataclass
class Frame:
    """One picture of a film, decoded; pts and duration in ticks of the film's clock."""

    picture: Any  # av.VideoFrame
    pts: int
    duration: int


class Source:
    """A film's file. Raises FilmError, in one sentence, for what is no film or is not read."""

    def __init__(self, file: Path) -> None:
        self.file, self.name = file, printable(file.name)
        self.notices: list[str] = []
        with self.opened() as container:
            stream = self._stream(container)
            self.index = stream.index
            self.about = self._about(container, stream)
            self.copied = [
                one.index
                for one in container.streams
                if one.type in ("audio", "subtitle", "attachment") and one.index != stream.index
            ]
            names = (codec_name(container.streams[index]) for index in self.copied)
            self.kinds = {index: container.streams[index].type for index in self.copied}
            self.codecs = dict(zip(self.copied, names, strict=True))
            if any(_is_cover(one) for one in container.streams.video):
                self.note("holds a still picture besides its film, such as a cover: left out")
            for one in container.streams:
                if one.type == "data" and not _is_of_chapters(one, container):
                    name = printable(one.metadata.get("handler_name", "").strip() or str(one.name))
                    name = "time code" if "timecode" in one.metadata else name
                    self.note(f"holds data besides its pictures and sound ({name}): left out")

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The file as an `av` container."""
        av = library()
        self._check_file()
        try:
            container = av.open(
                str(self.file.absolute()), options=_OPTIONS, metadata_errors="replace"
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise FilmError(f"{self.name}: cannot be read as a film; {_reason(error)}") from error
        with closing(container):
            yield container

    def _check_file(self) -> None:
        if self.file.is_dir():
            raise FilmError(f"{self.name} is a folder; give a film's file.")
        if not self.file.is_file():
            raise FilmError(f"{self.name} was not found; check the name and the folder.")
        try:
            with self.file.open("rb") as opened:
                head = opened.read(64)
        except OSError as error:
            raise FilmError(f"{self.name}: may not be read ({error.strerror})") from error
        if not head:
            raise FilmError(f"{self.name}: empty (0 bytes); copy it again from where it came")
        if sniff(head) in _PHOTOS:
            raise FilmError(f"{self.name}: a photo, not a film; python -m colorize photo takes it")
        if sniff(head) == "WEBP":
            raise FilmError(
                f"{self.name}: a WebP picture; of an animated one make a GIF or MP4 first, and "
                "python -m colorize photo takes one that stands still"
            )

    def _stream(self, container: Any) -> Any:
        pictures = [
            stream
            for stream in container.streams.video
            if not _is_cover(stream) and stream.codec_context
        ]
        if not pictures:
            raise FilmError(f"{self.name}: holds no moving pictures; a film is expected")
        if len(pictures) > 1:
            self.note(f"holds {len(pictures)} streams of pictures: the first was coloured")
        return pictures[0]

    def _about(self, container: Any, stream: Any) -> About:
        first = next(_pictures(container, stream), None)
        if first is None:
            raise FilmError(f"{self.name}: none of its pictures can be read; it is damaged")
        if first.color_trc in (_PQ, _HLG):
            raise FilmError(
                f"{self.name}: a film of high dynamic range (HDR); convert it to SDR (BT.709) first"
            )
        if first.width * first.height > _MOST_PIXELS:
            raise FilmError(
                f"{self.name}: pictures of {first.width} x {first.height}; make it smaller first"
            )
        rotation = round(first.rotation / 90) * 90 % 360
        width, height = first.width, first.height
        aspect = stream.sample_aspect_ratio or Fraction(1)
        aspect = aspect if aspect > 0 else Fraction(1)
        turned = rotation % 180 == 90
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        shift = Fraction(max(0, container.start_time or 0), _MICROSECONDS)
        shift = min(shift, max(Fraction(0), (first.pts or 0) * stream.time_base))
        seconds = _length(container, stream, shift)
        return About(
            size=(height, width) if turned else (width, height),
            pixel_aspect=1 / aspect if turned else aspect,
            time_base=stream.time_base,
            rate=rate,
            matrix=_matrix(first),
            full=first.color_range == 2 or first.format.name.startswith(("yuvj", "gray")),
            rotation=rotation,
            shift=shift,
            seconds=seconds,
            frames=stream.frames or (round(seconds * rate) if seconds else None),
        )

    def frames(self, first: float = 0.0, last: float = float("inf")) -> Iterator[Frame]:
        """Frames whose time in seconds, from the film's start, is in [first, last).

        Each once, progressive, neither turned nor resized yet (`picture.Converter`). Damaged
        ones are left out, and that is among `notices`, as is what was changed.
        """
        begin = exact(first) + self.about.shift
        if last != float("inf"):
            last = exact(last)
        clock = self.about.time_base
        for at in (begin, None) if first > 0 else (None,):
            with self.opened() as container:
                stream = container.streams[self.index]
                if at is not None:
                    _seek(container, stream, at)
                frames = self._steady(container, stream)
                frame = next(frames, None)
                if at is not None and (frame is None or frame.pts * clock > begin):
                    continue  # some containers find no earlier picture: from the start, then
                while frame is not None and frame.pts * clock - self.about.shift < last:
                    if first <= 0 or frame.pts * clock >= begin:
                        yield frame
                    shown, frame = frame, next(frames, None)
                    if frame is None:
                        self._check_end(float((shown.pts + shown.duration) * clock))
                return

    def _steady(self, container: Any, stream: Any) -> Iterator[Frame]:
        """All frames from where the container stands, each with the time that it is shown for."""
        from colorize.film.deinterlacing import Deinterlacer

        deinterlacer = Deinterlacer(stream.time_base)
        step = max(1, round(1 / (self.about.rate * self.about.time_base)))
        before: Frame | None = None
        for picture in deinterlacer.progressive(_pictures(container, stream, self._damaged)):
            if deinterlacer.is_used:
                self.note("is interlaced: it was deinterlaced")
            pts = picture.pts
            if pts is None:
                pts = before.pts + before.duration if before else 0
            if before is not None:
                if pts <= before.pts:
                    self.note("has pictures out of order: they were left out")
                    continue
                before.duration = pts - before.pts
                yield before
            self._check_size(picture)
            before = Frame(picture, pts, picture.duration or step)
        if before is not None:
            yield before

    def _damaged(self, error: Exception) -> None:
        self.note(f"is damaged: what could not be read was left out ({_reason(error)})")

    def _check_end(self, end: float) -> None:
        """Notes a file that ends before the length it tells: it was cut, as half-copied ones are.

        end: of the last picture, on the film's clock; sound alone may be longer.
        """
        with self.opened() as container:
            stream = container.streams[self.index]
            told = ((container.start_time or 0) + (container.duration or 0)) / _MICROSECONDS
            if stream.duration:  # another stream, as of chapters, may be the longest
                ticks = (stream.start_time or 0) + stream.duration
                told = min(told, float(ticks * stream.time_base))
            if container.format.name == "avi":  # whose length is told as it was cut to
                told = max(told, float(stream.frames * stream.time_base))
            if told - end <= _SHORT:
                return
            av = library()
            with suppress(av.FFmpegError, OSError):
                for packet in container.demux():
                    if packet.pts is not None:
                        until = packet.pts + (packet.duration or 0)
                        end = max(end, float(until * packet.time_base))
        if told - end > _SHORT:
            self.note(
                f"is cut off: it should go to {told:.1f} s and ends at {end:.1f} s; copy it again "
                "from where it came, if there is more of it"
            )

    def note(self, what: str) -> None:
        """One more of `notices`: the film's name, and this."""
        line = f"{self.name} {what}"
        if line not in self.notices:
            self.notices.append(line)

    def _check_size(self, picture: Any) -> None:
        size = self.about.size if self.about.rotation % 180 == 0 else self.about.size[::-1]
        if (picture.width, picture.height) != size:
            self.note(
                f"changes from {size[0]} x {size[1]} to {picture.width} x {picture.height} pixels: "
                "all were made of the first size"
            )


def exact(seconds: float) -> Fraction:
    """The time that is meant: as a float, 0.4 lies behind the picture at 2/5."""
    return Fraction(seconds).limit_denominator(_MICROSECONDS)


def _is_cover(stream: Any) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _is_of_chapters(stream: Any, container: Any) -> bool:
    """Whether it is how MP4 keeps the titles of chapters, which are copied as such."""
    from av.stream import Discard

    return stream.discard == Discard.all and bool(container.chapters())


def codec_name(stream: Any) -> str:
    """FFmpeg's name of what a stream holds."""
    return stream.codec_context.codec.canonical_name if stream.codec_context else stream.type


def _pictures(container: Any, stream: Any, damaged: Any = None) -> Iterator[Any]:
    """The decoded pictures; what cannot be decoded is told to `damaged` and left out."""
    av = library()
    stream.thread_type = "AUTO"
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (av.FFmpegError, OSError) as error:
            if damaged:
                damaged(error)
            return
        try:
            yield from packet.decode()
        except av.FFmpegError as error:
            if damaged:
                damaged(error)


def _seek(container: Any, stream: Any, seconds: Fraction) -> None:
    """To a picture before `seconds` from which on all can be decoded; the start, where none is."""
    av = library()
    try:
        container.seek(max(0, int(seconds / stream.time_base) - 1), stream=stream)
    except av.FFmpegError:
        container.seek(0)


def _length(container: Any, stream: Any, shift: Fraction) -> float | None:
    """Seconds from `shift` to where the pictures end, as the file tells."""
    if stream.duration:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base - shift)
    if not container.duration:
        return None
    return float(Fraction((container.start_time or 0) + container.duration, _MICROSECONDS) - shift)


def _matrix(picture: Any) -> str:
    """As it is marked; else as players guess it, by the height."""
    if picture.colorspace in (1, 9, 10):  # BT.709, BT.2020
        return "ITU709"
    if picture.colorspace in (4, 5, 6, 7):  # FCC, BT.470BG, SMPTE 170M, 240M
        return "ITU601"
    return "ITU709" if min(picture.width, picture.height) >= 720 else "ITU601"


def _reason(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or str(error)).lower()

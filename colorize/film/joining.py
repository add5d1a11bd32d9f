"""The parts of a film and what else its file holds - sound, subtitles, chapters - to one file."""

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from io import BytesIO
from math import inf
from pathlib import Path
from typing import Any

from colorize.files import replacing
from colorize.film.parts import Part
from colorize.film.reading import FilmError, Source, exact, library
from colorize.film.settings import CONTAINERS, ENCODERS

_EMPTY_TEXT = b"\0\0"  # a gap between subtitles in MP4, which is written anew
_KINDS = {"audio": "sound", "subtitle": "subtitles", "attachment": "attachments"}
_VIDEO_CODECS = {"webm": ("vp9", "av1")}
_OWN_KEYS = ("major_brand", "minor_version", "compatible_brands", "encoder", "timecode")


def check_container(source: Source, output: Path, codec: str | None) -> str:
    """The codec for an output. FilmError where its container does not hold the film's streams."""
    if output.suffix.lower() not in CONTAINERS:
        raise FilmError(
            f"{output.name}: films are written as {', '.join(CONTAINERS)}; give it such an ending"
        )
    container = _container_of(output)
    able = _VIDEO_CODECS.get(container, tuple(ENCODERS))
    if codec is not None and codec not in able:
        raise FilmError(f"{output.name}: WebM holds {' or '.join(able)}, not {codec}")
    odd = _not_held(source, container)
    if odd:
        index, name = odd
        kind = _KINDS[source.kinds[index]]
        raise FilmError(
            f"{source.name}: its {kind} ({name}) cannot be copied into {output.suffix}; give the "
            "output a name that ends in .mkv"
        )
    return codec or able[0]


def natural_ending(source: Source) -> str:
    """How an output ends that may end as it likes: as the film, else .mp4, else .mkv."""
    own = source.file.suffix.lower()
    for ending in dict.fromkeys((own if own in CONTAINERS else ".mp4", ".mp4")):
        if _not_held(source, CONTAINERS[ending]) is None:
            return ending
    return ".mkv"


def join(
    source: Source,
    parts: Sequence[tuple[Part, Path]],
    output: Path,
    *,
    first: int,
    last: float,
    note: str,
) -> None:
    """Writes `output` whole or not at all.

    parts: with their files; first: the tick of the film's clock that becomes 0; last: seconds
    from the film's start where what is copied ends; note: goes into the metadata.
    """
    av = library()
    with source.opened() as there, replacing(output) as out, ExitStack() as stack:
        made = av.open(
            str(Path(out.name)), "w", format=_container_of(output), options=_muxing(output)
        )
        stack.callback(made.close)
        zero = first * source.about.time_base
        end = None if last == inf else source.about.shift + exact(last)
        made.metadata.update(_metadata(there, note))
        made.set_chapters(_chapters(there, zero, end))
        film = there.streams[source.index]
        with av.open(str(parts[0][1])) as sample:
            video = made.add_stream_from_template(sample.streams.video[0], opaque=True)
            video.time_base = source.about.time_base
            _describe(video, film)
            copied = {index: _copied(made, there.streams[index]) for index in source.copied}
            video.metadata.pop("timecode", None)  # it would be written as a stream of its own
            made.start_encoding()
        feeds = [_of_parts(parts, video, source.about.time_base, first)]
        streams = [there.streams[i] for i in source.copied if there.streams[i].type != "attachment"]
        if streams:
            feeds.append(_of_source(there, streams, copied, zero, end, made.format.name))
        for _, _, packet in heapq.merge(*feeds, key=lambda one: one[:2]):
            made.mux(packet)
        stack.pop_all().close()


def _of_parts(
    parts: Sequence[tuple[Part, Path]], video: Any, ticks: Fraction, first: int
) -> Iterator[tuple[float, int, Any]]:
    """The packets of the parts with the film's times, and the seconds to sort them by."""
    av = library()
    for part, file in parts:
        with av.open(str(file)) as container:
            for packet in container.demux(video=0):
                if packet.dts is None:
                    continue
                scale = packet.time_base / ticks
                packet.duration = round(packet.duration * scale)
                packet.pts = packet.dts = part.first - first + round(packet.pts * scale)
                packet.time_base, packet.stream = ticks, video
                yield float(packet.pts * ticks), 0, packet


def _of_source(
    container: Any,
    streams: Sequence[Any],
    copied: dict[int, Any],
    zero: Fraction,
    end: Fraction | None,
    format: str,
) -> Iterator[tuple[float, int, Any]]:
    """The packets of the other streams from `zero` to `end` seconds of the film's clock."""
    moved = {stream.index: round(zero / stream.time_base) for stream in streams}
    cut = zero > max(0, (container.start_time or 0)) / Fraction(10**6)
    for packet in container.demux(streams):
        index = packet.stream.index
        if packet.dts is None or packet.pts is None:
            continue
        if index not in copied or (format != "matroska" and bytes(packet) == _EMPTY_TEXT):
            continue
        at = packet.pts * packet.time_base
        if (cut and at < zero) or (end is not None and at >= end):
            continue
        packet.pts -= moved[index]
        packet.dts -= moved[index]
        seconds = float(packet.dts * packet.time_base)
        packet.stream = copied[index]
        yield seconds, 1 + index, packet


def _copied(made: Any, stream: Any) -> Any:
    if stream.type == "attachment":
        attached = made.add_attachment(
            stream.metadata.get("filename", stream.name or "attachment"),
            stream.mimetype or "application/octet-stream",
            stream.data,
        )
        return attached
    new = made.add_stream_from_template(stream, opaque=True)
    _describe(new, stream)
    return new


def _describe(new: Any, old: Any) -> None:
    new.metadata.update(
        {key: value for key, value in old.metadata.items() if key not in ("encoder", "vendor_id")}
    )
    new.disposition = old.disposition


def _metadata(container: Any, note: str) -> dict[str, str]:
    kept = {key: value for key, value in container.metadata.items() if key not in _OWN_KEYS}
    comment = next((key for key in kept if key.lower() == "comment"), "comment")
    kept[comment] = f"{kept[comment]}; {note}" if kept.get(comment) else note
    return kept


def _chapters(container: Any, zero: Fraction, until: Fraction | None) -> list[dict[str, Any]]:
    """Those that lie in what was coloured, from `zero` to `until` seconds, by its clock."""
    kept = []
    for chapter in container.chapters():
        moved = round(zero / chapter["time_base"])
        begin, end = chapter["start"] - moved, chapter["end"] - moved
        if end <= 0 or (until is not None and chapter["start"] * chapter["time_base"] >= until):
            continue
        if until is not None:  # MP4 would last as long as its last chapter
            end = min(end, round((until - zero) / chapter["time_base"]))
        kept.append(chapter | {"start": max(0, begin), "end": end})
    return kept


def _not_held(source: Source, container: str) -> tuple[int, str] | None:
    """The first stream that a container does not hold, and what it is."""
    av = library()
    with av.open(BytesIO(), "w", format=container) as nothing:
        held = nothing.supported_codecs
    for index, name in source.codecs.items():
        if source.kinds[index] == "attachment":
            if container != "matroska":
                return index, name
        elif name not in held:
            return index, name
    return None


def _container_of(output: Path) -> str:
    return CONTAINERS[output.suffix.lower()]


def _muxing(output: Path) -> dict[str, str]:
    """MP4 with its index in front: a browser plays it before all is there."""
    return {"movflags": "+faststart"} if _container_of(output) in ("mp4", "mov") else {}

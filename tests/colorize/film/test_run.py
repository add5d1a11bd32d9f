"""A film in, a film out: times, sound, subtitles, chapters, what is cut, damaged or interrupted."""

import json
from fractions import Fraction
from math import ceil

import av
import numpy as np
import pytest

from colorize import Colorizer
from colorize.color.toned import lab, unit
from colorize.errors import ColorizeError
from colorize.film import colorize
from colorize.film.parts import folder_of, made_of_film
from colorize.film.reading import FilmError, Source
from colorize.film.settings import FilmSettings
from tests.support.films import (
    CLOCK,
    packets_of,
    panned,
    pictures_of,
    times_of,
    write_film,
)

CHAPTERS = ((0, 200, "One"), (200, 480, "Two"))
TIMES = (0, 512, 1536, 1600, 2900, 4000)
LAST = 777


@pytest.fixture
def colorizer(checkpoints):
    return Colorizer("direct", device="cpu")


@pytest.fixture
def new(tmp_path):
    return tmp_path / "new.mp4"


def chapters_of(file):
    with av.open(str(file)) as film:
        return [
            (float(one["start"] * one["time_base"]), one["metadata"]["title"])
            for one in film.chapters()
        ]


def test_times_sound_subtitles_and_chapters_are_the_films(colorizer, tmp_path, new):
    old = write_film(
        tmp_path / "old.mp4", panned(6), times=TIMES, last=LAST, sound=True, subtitles="mov_text",
        chapters=CHAPTERS, metadata={"title": "A film", "comment": "by us"},
        aspect=Fraction(16, 11), matrix=1,
    )  # fmt: skip
    film = colorize(old, new, colorizer, speed=3)
    assert (film.path, film.frames, film.shots) == (new, 6, 1)
    assert film.seconds == pytest.approx(float((TIMES[-1] + LAST) * CLOCK))
    assert times_of(new) == times_of(old)
    assert times_of(new)[-1] == (TIMES[-1], LAST)
    for kind in ("audio", "subtitle"):
        assert packets_of(new, kind) == packets_of(old, kind)
        assert len(packets_of(new, kind)) >= 2
    assert chapters_of(new) == chapters_of(old) == [(0, "One"), (0.2, "Two")]
    with av.open(str(new)) as film:
        stream = film.streams.video[0]
        assert film.metadata["title"] == "A film"
        assert film.metadata["comment"].startswith("by us; Colorized by a program: colours by dir")
        assert (stream.codec_context.name, stream.sample_aspect_ratio) == ("h264", Fraction(16, 11))
        picture = next(film.decode(video=0))
        assert (picture.colorspace, picture.color_range) == (1, 1)
    assert np.ptp(pictures_of(new)[0].astype(int), axis=2).mean() > 3  # colours
    assert not folder_of(new).exists()
    assert {file.name for file in tmp_path.iterdir()} == {"old.mp4", "new.mp4"}


@pytest.mark.parametrize(("ending", "codec"), [("mkv", "h264"), ("webm", "vp9"), ("mp4", "av1")])
def test_other_containers_and_codecs(colorizer, tmp_path, ending, codec):
    old = write_film(tmp_path / "old.mkv", panned(4), subtitles="subrip" if ending == "mkv" else "")
    new = tmp_path / f"new.{ending}"
    colorize(old, new, colorizer, codec=codec)
    with av.open(str(new)) as film:
        found = film.streams.video[0].codec_context.codec.canonical_name
    assert found == codec
    begins = [float(at) for at, _ in times_of(old)]
    assert [float(at) for at, _ in times_of(new)] == pytest.approx(begins, abs=13)  # in ms
    if ending == "mkv":
        assert packets_of(new, "subtitle") == packets_of(old, "subtitle")


def test_sound_that_a_container_does_not_hold_is_refused_by_name(colorizer, tmp_path, new):
    old = write_film(tmp_path / "old.mkv", panned(2), subtitles="subrip")
    with pytest.raises(FilmError, match=r"its subtitles \(subrip\) cannot be copied into \.mp4"):
        colorize(old, new, colorizer)
    with pytest.raises(FilmError, match="WebM holds vp9 or av1, not h264"):
        colorize(old, tmp_path / "new.webm", colorizer, codec="h264")
    with pytest.raises(FilmError, match="films are written as"):
        colorize(old, tmp_path / "new.avi", colorizer)
    assert [file.name for file in tmp_path.iterdir()] == ["old.mkv"]


def test_a_part_of_a_film_begins_at_nought(colorizer, tmp_path, new):
    old = write_film(
        tmp_path / "old.mp4", panned(20), sound=True, chapters=((0, 320, "One"), (320, 800, "Two"))
    )
    film = colorize(old, new, colorizer, start=0.2, end=0.6)
    assert film.frames == 10
    assert times_of(new) == times_of(old)[:10]
    sound, whole = packets_of(new, "audio"), packets_of(old, "audio")
    assert [content for _, content in sound] == [
        content for at, content in whole if 0.2 <= at < 0.6
    ]
    assert 0 <= sound[0][0] < 0.03
    assert chapters_of(new) == [(0, "One"), (pytest.approx(0.12), "Two")]
    wanted = pictures_of(old)[5:15]
    for one, other in zip(pictures_of(new), wanted, strict=True):
        assert np.abs(lab(unit(one))[0] - lab(unit(other))[0]).mean() < 1.5


def test_sound_is_cut_to_the_tick_at_both_ends(colorizer, tmp_path):
    """A packet at the start's time is in the part and one at its end's is not, though as floats
    0.2 and 0.4 lie behind 1/5 and 2/5."""
    old = tmp_path / "old.mkv"
    write_film(tmp_path / "pictures.mkv", panned(20))
    tick = Fraction(1, 1000)
    begins = [n * tick for n in range(0, 800, 25)]
    with av.open(str(tmp_path / "pictures.mkv")) as there, av.open(str(old), "w") as made:
        pictures = made.add_stream_from_template(there.streams.video[0])
        sound = made.add_stream("pcm_s16le", rate=8000, layout="mono")
        for packet in there.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                made.mux(packet)
        for at in begins:
            packet = av.Packet(round(8000 * at).to_bytes(2, "big") * 200)
            packet.stream, packet.time_base = sound, tick
            packet.pts = packet.dts = round(at / tick)
            made.mux(packet)
    assert [at for at, _ in packets_of(old, "audio")] == begins
    for start, end in ((0.2, 0.4), (0.12, 0.6), (0.0, 0.35), (0.4, 0.7)):
        new = tmp_path / f"{start}-{end}.mkv"
        colorize(old, new, colorizer, start=start, end=end)
        first, last = (Fraction(str(seconds)) for seconds in (start, end))
        first = Fraction(ceil(first * 25), 25)  # the first picture's time is what becomes 0
        wanted = [(at - first, sound) for at, sound in packets_of(old, "audio")
                  if first <= at < last]  # fmt: skip
        assert packets_of(new, "audio") == wanted


def test_a_chapter_ends_where_the_part_of_the_film_does(colorizer, tmp_path, new):
    old = write_film(
        tmp_path / "old.mp4", panned(20), chapters=((0, 320, "One"), (320, 800, "Two"))
    )
    colorize(old, new, colorizer, end=0.4)
    with av.open(str(new)) as film:
        ends = [float(one["end"] * one["time_base"]) for one in film.chapters()]
        assert ends == [0.32, 0.4]
        assert film.duration == 400_000


def test_a_time_code_is_left_out_and_that_is_said(colorizer, tmp_path):
    old = write_film(tmp_path / "old.mov", panned(4), metadata={"timecode": "01:00:00:00"})
    for new in (tmp_path / "new.mov", tmp_path / "new.mp4", tmp_path / "new.mkv"):
        film = colorize(old, new, colorizer)
        assert film.notices == (
            "old.mov holds data besides its pictures and sound (time code): left out",
        )
        with av.open(str(new)) as made:
            assert [stream.type for stream in made.streams] == ["video"]


def test_a_preview_is_short_and_small(colorizer, tmp_path, new):
    pictures = panned(3, 60, 400)
    old = write_film(tmp_path / "old.mp4", pictures, times=(0, 40_000, 70_000))
    film = colorize(old, new, colorizer, preview=True)
    assert (film.frames, pictures_of(new)[0].shape) == (2, (48, 320, 3))


@pytest.mark.parametrize(
    ("count", "height", "width"), [(1, 48, 64), (3, 47, 63), (2, 9, 200)], ids=str
)
def test_one_frame_and_odd_sides(colorizer, tmp_path, new, count, height, width):
    old = write_film(
        tmp_path / "old.mkv", panned(count, height, width), codec="ffv1", pixel_format="gray"
    )
    film = colorize(old, new, colorizer)
    assert film.frames == count
    found = pictures_of(new)[0].shape
    assert found == (max(16, height + height % 2), width + width % 2, 3)
    assert bool(film.notices) == (found != (height, width, 3))


def test_a_film_is_never_replaced_unasked_nor_by_itself(colorizer, tmp_path, new):
    old = write_film(tmp_path / "old.mp4", panned(2))
    new.write_bytes(b"mine")
    with pytest.raises(FilmError, match="exists; choose another name or give --overwrite"):
        colorize(old, new, colorizer)
    assert new.read_bytes() == b"mine"
    for options in ({}, {"overwrite": True}):
        with pytest.raises(FilmError, match=r"^old\.mp4: would be replaced by itself; choose ano"):
            colorize(old, old, colorizer, **options)
    colorize(old, new, colorizer, overwrite=True)
    assert len(pictures_of(new)) == 2


def two_shots(tmp_path):
    cut = [*panned(8), *[255 - picture for picture in panned(8, photo="coins")]]
    return write_film(tmp_path / "old.mp4", cut, sound=True)


def interrupted_at(frames):
    def progress(now):
        if now.frames == frames:
            raise KeyboardInterrupt

    return progress


def test_what_is_interrupted_goes_on_from_the_last_finished_shot(colorizer, tmp_path, new):
    old = two_shots(tmp_path)
    whole = tmp_path / "whole.mp4"
    assert colorize(old, whole, colorizer).shots == 2
    with pytest.raises(KeyboardInterrupt):
        colorize(old, new, colorizer, interrupted_at(13))
    assert not new.exists()
    listed = json.loads((folder_of(new) / "parts.json").read_text())["parts"]
    assert [(part["frames"], part["shot_ends"]) for part in listed] == [(8, True)]
    seen = []
    film = colorize(old, new, colorizer, lambda now: seen.append(now.frames), resume=True)
    assert (film.frames, film.shots, film.notices) == (16, 2, ())
    assert seen[0] == 9  # the first shot is not done again
    assert packets_of(new, "video") == packets_of(whole, "video")
    assert times_of(new) == times_of(old)


def test_parts_of_other_settings_are_not_gone_on_with(colorizer, tmp_path, new):
    old = two_shots(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        colorize(old, new, colorizer, interrupted_at(13))
    seen = []
    film = colorize(
        old, new, colorizer, lambda now: seen.append(now.frames), resume=True, saturation=2.0
    )
    assert seen[0] == 1
    assert film.notices == (
        "old.mp4 was begun anew: film, model or settings are others than before",
    )


def test_a_still_that_was_painted_anew_is_another_setting(colorizer, tmp_path, new):
    old, still = write_film(tmp_path / "old.mp4", panned(2)), tmp_path / "still.png"
    colors = [made_with(colorizer, old, new, still, color) for color in (b"red", b"blue", b"red")]
    assert colors[0] == colors[2] != colors[1]


def made_with(colorizer, old, new, still, content):
    still.write_bytes(content)
    settings = FilmSettings(stills=((0.0, still),), reference=still)
    return made_of_film(Source(old), settings, colorizer.record, "h264")


def test_a_hint_outside_is_told_by_the_films_own_size(with_hints, tmp_path, new):
    old = write_film(tmp_path / "old.mp4", panned(2, height=48, width=64))
    said = "hint: 64,3 lies outside the film, which is 64 x 48 pixels; x goes from 0 to 63, y from"
    with pytest.raises(ColorizeError, match=said):
        colorize(old, new, "hinted", hints=[(64, 3, "#d02020", 0.0)], device="cpu")
    assert [file.name for file in tmp_path.iterdir()] == ["old.mp4"]


def test_what_is_given_behind_the_end_is_told_before_the_work(with_hints, tmp_path, new):
    old = write_film(tmp_path / "old.mp4", panned(4))
    for given in ({"hints": [(3, 3, "#d02020", 0.16)]}, {"stills": [(2, tmp_path / "none.png")]}):
        with pytest.raises(FilmError, match=r"^old\.mp4: a hint or still is given at .*, behind"):
            colorize(old, new, "hinted", device="cpu", **given)
    assert [file.name for file in tmp_path.iterdir()] == ["old.mp4"]


def test_behind_the_end_of_a_film_that_does_not_tell_it_the_film_is_still_made(
    with_hints, tmp_path, new
):
    old = write_film(tmp_path / "old.h264", panned(4), options={"bf": "0", "crf": "10"})
    film = colorize(old, new, "hinted", device="cpu", hints=[(3, 3, "#d02020", 2)])
    assert film.frames == 4
    assert "old.h264 ends before 2 s, where a hint or still is given: it was left out" in (
        film.notices
    )


def test_a_reference_that_is_none_is_told_before_the_work(colorizer, tmp_path):
    old = write_film(tmp_path / "old.mp4", panned(2))
    for reference, said in (
        (tmp_path / "none.jpg", r"^reference: none\.jpg was not found"),
        (old, r"^reference: old\.mp4 is a film or a sound; give a photo, such as a picture"),
    ):
        with pytest.raises(ColorizeError, match=said):
            colorize(old, tmp_path / "deep" / "new.mp4", colorizer, reference=reference)
    assert [file.name for file in tmp_path.iterdir()] == ["old.mp4"]


def test_a_folder_that_cannot_be_made_says_what_to_do(colorizer, tmp_path):
    old = write_film(tmp_path / "old.mp4", panned(2))
    with pytest.raises(FilmError, match=r"cannot be made a folder \(.*\); choose an output in a"):
        colorize(old, old / "new.mp4", colorizer)


def test_a_full_disk_is_one_line_and_leaves_no_half_film(colorizer, tmp_path, new, monkeypatch):
    old = write_film(tmp_path / "old.mp4", panned(4))
    from colorize.film import writing

    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing.PartWriter, "add", full)
    with pytest.raises(FilmError, match=r"new\.mp4: cannot be written \(No space left on device\)"):
        colorize(old, new, colorizer)
    assert [file.name for file in tmp_path.iterdir()] == ["old.mp4"]


def test_two_programs_do_not_make_one_film(colorizer, tmp_path, new):
    old = write_film(tmp_path / "old.mp4", panned(4))

    def progress(now):
        with pytest.raises(FilmError, match=r"new\.mp4: another program is making it"):
            colorize(old, new, colorizer)

    assert colorize(old, new, colorizer, progress).frames == 4


def test_parts_are_films_of_their_own(colorizer, tmp_path, new):
    found = []

    def progress(now):
        if now.part:
            found.append(len(pictures_of(now.part)))

    colorize(two_shots(tmp_path), new, colorizer, progress)
    assert found == [8, 8]


def test_hints_and_stills_go_through_their_shot_and_no_further(with_hints, tmp_path, new):
    colorizer = Colorizer("hinted", device="cpu")
    old = two_shots(tmp_path)
    plain = colorize(old, tmp_path / "plain.mp4", colorizer)
    assert plain.shots == 2
    before = pictures_of(tmp_path / "plain.mp4")
    hint = (30, 20, "#d02020", 0.2)
    colorize(old, new, colorizer, hints=[hint])
    change = [
        np.abs(one.astype(int) - other).mean()
        for one, other in zip(pictures_of(new), before, strict=True)
    ]
    assert min(change[:8]) > 1
    assert max(change[8:]) < 0.5

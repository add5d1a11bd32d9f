"""What of a film is read, and what is refused in one line."""

import itertools
import shutil
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from av.stream import Disposition
from PIL import Image

from colorize.film.picture import Converter
from colorize.film.reading import FilmError, Source, library
from tests.support.films import panned, write_film

TURNED = {  # what a camera writes into an MP4 that is to be shown turned: ISO 14496-12, 6.2.2
    90: (0, -1, 1, 0),
    180: (-1, 0, 0, -1),
    270: (0, 1, -1, 0),
}


def turned(file, degrees):
    """The film, marked as to be turned anticlockwise."""
    content = bytearray(file.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    a, b, c, d = TURNED[degrees]
    numbers = (a, b, 0, c, d, 0, 0, 0, 0)
    for place, number in enumerate(numbers):
        if place < 8:
            content[at + 4 * place : at + 4 * place + 4] = (number * 65536).to_bytes(
                4, "big", signed=True
            )
    file.write_bytes(content)
    return file


def pixels_of(file):
    source = Source(file)
    converter = Converter(source.about)
    return source, [converter.pixels(frame) for frame in source.frames()]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_film_is_upright(tmp_path, degrees):
    file = write_film(tmp_path / "a.mp4", panned(2), aspect=Fraction(4, 3))
    _, before = pixels_of(file)
    source, after = pixels_of(turned(file, degrees))
    assert source.about.rotation == degrees
    assert source.about.size == ((48, 64) if degrees != 180 else (64, 48))
    assert source.about.pixel_aspect == (Fraction(3, 4) if degrees != 180 else Fraction(4, 3))
    assert np.array_equal(after[0], np.rot90(before[0], degrees // 90))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "gray", "yuv444p"])
def test_greys_are_read_in_their_range(tmp_path, full, pixel_format):
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    file = write_film(
        tmp_path / "a.mkv", [ramp], codec="ffv1", pixel_format=pixel_format, full=full
    )
    source, (found,) = pixels_of(file)
    assert source.about.full == (full or pixel_format == "gray")  # which is always full
    assert found.ndim == 2
    assert np.abs(found.astype(int) - ramp).max() <= 1


@pytest.mark.parametrize(("matrix", "name"), [(1, "ITU709"), (6, "ITU601")])
def test_colours_are_read_with_their_matrix(tmp_path, matrix, name):
    colours = np.zeros((48, 64, 3), np.uint8)
    colours[:, :32], colours[:, 32:] = (200, 40, 40), (40, 160, 60)
    file = write_film(
        tmp_path / "a.mkv", [colours], codec="ffv1", pixel_format="yuv444p", matrix=matrix
    )
    source, (found,) = pixels_of(file)
    assert source.about.matrix == name
    assert np.abs(found.astype(int) - colours).max() <= 3


def test_ten_bits_become_eight(tmp_path):
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))
    file = write_film(tmp_path / "a.mkv", [ramp], codec="ffv1", pixel_format="yuv420p10le")
    _, (found,) = pixels_of(file)
    assert found.ndim == 2
    assert np.abs(found.astype(int) - ramp).max() <= 1


def test_half_pictures_become_pictures_and_that_is_said(tmp_path):
    moving = panned(8, step=6)
    woven = []
    for now, then in itertools.pairwise(moving):
        woven.append(now.copy())
        woven[-1][1::2] = then[1::2]
    file = write_film(
        tmp_path / "a.mp4", woven, options={"x264-params": "tff=1", "crf": "1", "bf": "0"}
    )
    source, found = pixels_of(file)
    assert source.notices == ["a.mp4 is interlaced: it was deinterlaced"]
    assert len(found) == 7

    def combs(pictures):
        lines = np.stack(pictures).astype(int)
        return np.abs(lines[:, 1:-1] - (lines[:, :-2] + lines[:, 2:]) / 2).mean()

    assert combs(found[1:-1]) < 0.5 * combs(woven[1:-1])
    assert [frame.pts for frame in source.frames()] == [n * 512 for n in range(7)]


@pytest.mark.parametrize(("curve", "what"), [(16, "PQ"), (18, "HLG")])
def test_high_dynamic_range_is_refused_by_name(tmp_path, curve, what):
    file = write_film(
        tmp_path / "a.mkv", panned(1), codec="ffv1", pixel_format="yuv420p10le", curve=curve
    )
    with pytest.raises(FilmError, match=r"a\.mkv: a film of high dynamic range \(HDR\)"):
        Source(file)


def test_frames_from_a_time_on_are_those_of_the_whole(tmp_path):
    file = write_film(tmp_path / "a.mp4", panned(60), options={"crf": "20", "bf": "2", "g": "12"})
    source = Source(file)
    whole = [frame.pts for frame in source.frames()]
    assert len(whole) == 60
    assert [frame.pts for frame in source.frames(1.0, 1.4)] == whole[25:35]
    assert [frame.pts for frame in source.frames(0.0, 0.1)] == whole[:3]


def test_what_is_no_film_is_one_line(tmp_path, encode):
    def file(name, content):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    whole = write_film(tmp_path / "whole.mp4", panned(20)).read_bytes()
    sound = tmp_path / "sound.mp4"
    write_film(sound, panned(2), sound=True)
    only_sound = tmp_path / "only.mp4"
    import av

    with av.open(str(sound)) as there, av.open(str(only_sound), "w") as made:
        stream = made.add_stream_from_template(there.streams.audio[0])
        for packet in there.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{tmp_path / 'whole.mp4'}\n"
    picture = encode(np.zeros((8, 8, 3), np.uint8), "JPEG")
    for made, said in {
        file("empty.mp4", b""): r"empty\.mp4: empty \(0 bytes\)",
        file("text.mp4", b"a film about nothing"): r"text\.mp4: cannot be read as a film",
        file("list.mp4", playlist.encode()): r"list\.mp4: cannot be read as a film",
        file("cut.mp4", whole[:300]): r"cut\.mp4: cannot be read as a film",
        file("photo.mp4", picture): r"photo\.mp4: a photo, not a film; python -m colorize photo",
        file("a.webp", b"RIFF\0\0\0\0WEBPVP8X"): r"a\.webp: a WebP picture; of an animated one",
        only_sound: r"only\.mp4: holds no moving pictures",
        tmp_path / "no.mp4": r"no\.mp4 was not found",
        tmp_path: "is a folder",
    }.items():
        with pytest.raises(FilmError, match=said) as caught:
            Source(made)
        assert "\n" not in str(caught.value)


def test_data_beside_the_pictures_is_left_out_and_that_is_said(tmp_path):
    """As a camera's position and speed are kept."""
    import av

    file = tmp_path / "a.ts"
    whole = write_film(tmp_path / "a.mp4", panned(3))
    with av.open(str(whole)) as there, av.open(str(file), "w") as made:
        pictures = made.add_stream_from_template(there.streams.video[0])
        data = made.add_data_stream("klv")
        made.start_encoding()
        for packet in there.demux(video=0):
            if packet.dts is None:
                continue
            told = av.Packet(b"51.5 N 0.1 W")
            told.stream, told.time_base = data, packet.time_base
            told.pts = told.dts = packet.dts
            packet.stream = pictures
            made.mux(packet)
            made.mux(told)
    assert Source(file).notices == [
        "a.ts holds data besides its pictures and sound (klv): left out"
    ]


def test_what_can_be_read_of_a_film_that_is_cut_short_is_read(tmp_path):
    file = write_film(tmp_path / "a.mkv", panned(30), codec="ffv1", pixel_format="gray")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    _, found = pixels_of(file)
    assert 5 < len(found) < 30


def test_a_film_that_ends_before_the_length_it_tells_is_said_to_be_cut_off(tmp_path):
    whole = write_film(tmp_path / "whole.mkv", panned(48), sound=True)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 3])
    assert noticed(whole) == []
    (notice,) = noticed(cut)
    assert notice.startswith("cut.mkv is cut off: it should go to 1.9 s and ends at ")
    assert notice.endswith("; copy it again from where it came, if there is more of it")


def test_an_avi_that_is_cut_off_is_said_to_be(tmp_path):
    """Its length is told as short as it was cut, but not its frames."""
    for sound in (False, True):
        whole = write_film(tmp_path / "whole.avi", panned(48, 96, 128), codec="mpeg4",
                           clock=Fraction(1, 25), sound=sound)  # fmt: skip
        cut = tmp_path / "cut.avi"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
        assert noticed(whole) == []
        (notice,) = noticed(cut)
        assert notice.startswith("cut.avi is cut off: it should go to ")
        assert float(notice.split()[8]) == pytest.approx(1.95, abs=0.06)


def test_sound_that_is_longer_than_the_pictures_is_no_cut(tmp_path):
    long = write_film(tmp_path / "long.mkv", panned(48), sound=True)
    short = tmp_path / "short.mkv"
    with av.open(str(long)) as there, av.open(str(short), "w") as made:
        streams = [made.add_stream_from_template(one) for one in there.streams]
        for packet in there.demux():
            early = packet.pts is not None and packet.pts * packet.time_base < 1
            if packet.dts is not None and (packet.stream.type == "audio" or early):
                packet.stream = streams[packet.stream.index]
                made.mux(packet)
    assert len(list(Source(short).frames())) == 25
    assert noticed(short) == []


def test_a_cover_is_left_out_and_that_is_said(tmp_path):
    film = write_film(tmp_path / "film.mp4", panned(2))
    with av.open(str(film)) as there, av.open(str(tmp_path / "cover.mp4"), "w") as made:
        video = made.add_stream_from_template(there.streams.video[0])
        cover = made.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        still = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8)).reformat(
            format="yuvj420p"
        )
        made.mux(cover.encode(still) + cover.encode(None))
        for packet in there.demux():
            if packet.dts is not None:
                packet.stream = video
                made.mux(packet)
    assert Source(tmp_path / "cover.mp4").notices == [
        "cover.mp4 holds a still picture besides its film, such as a cover: left out"
    ]


def test_the_titles_of_chapters_are_not_told_as_data_left_out(tmp_path):
    file = tmp_path / "film.mp4"
    assert Source(write_film(file, panned(2), chapters=((0, 80, "One"),))).notices == []


def noticed(file):
    source = Source(file)
    list(source.frames())
    return source.notices


def test_damage_is_said_and_the_rest_is_read(tmp_path):
    file = write_film(tmp_path / "a.mkv", panned(30), codec="ffv1", pixel_format="gray",
                      options={"slicecrc": "1", "level": "3"})  # fmt: skip
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    file.write_bytes(content)
    source, found = pixels_of(file)
    assert 5 < len(found) <= 30
    assert all("damaged" in notice for notice in source.notices)


def test_pictures_of_another_size_become_those_of_the_first(tmp_path):
    first = write_film(tmp_path / "1.h264", panned(3), options={"bf": "0", "tune": "zerolatency"})
    second = write_film(
        tmp_path / "2.h264", panned(3, 60, 80), options={"bf": "0", "tune": "zerolatency"}
    )
    both = tmp_path / "both.h264"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    source, found = pixels_of(both)
    assert {one.shape for one in found} == {(48, 64)}
    assert source.notices == [
        "both.h264 changes from 64 x 48 to 80 x 60 pixels: all were made of the first size"
    ]


def test_a_gif_is_a_film(tmp_path):
    pictures = [Image.fromarray(pixels) for pixels in panned(4)]
    file = tmp_path / "a.gif"
    pictures[0].save(file, save_all=True, append_images=pictures[1:], duration=100)
    source, found = pixels_of(file)
    assert [one.shape for one in found] == [(48, 64)] * 4
    assert float(source.about.time_base * next(source.frames()).duration) == pytest.approx(0.1)


def test_without_pyav_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(FilmError, match=r'^Films need PyAV; get it with: pip install "av>='):
        library()


def test_names_and_links_that_lead_elsewhere_are_not_followed(tmp_path):
    """A reference file of QuickTime or a list could name any file of this machine."""
    whole = write_film(tmp_path / "whole.mp4", panned(2))
    listed = tmp_path / "listed.mp4"
    listed.write_text(f"ffconcat version 1.0\nfile '{whole}'\n")
    with pytest.raises(FilmError, match="cannot be read as a film"):
        Source(listed)
    copy = shutil.copy(whole, tmp_path / "http:x.mp4")  # a name that looks like an address
    assert Source(tmp_path / copy).about.size == (64, 48)

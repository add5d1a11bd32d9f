"""Films: flicker and colour error against colouring frame by frame, and what --speed costs.

Clips with truth are made: photos that scikit-image ships are panned and zoomed over, and cut-outs
move before others; clips that Gradio ships are real. All are coloured from their greys.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from colorize.color.render import render
from colorize.color.resample import resize_picture
from colorize.color.toned import lab, unit
from colorize.files import replacing
from colorize.film.given import grey_of_pixels
from colorize.film.motion import Motion, warp
from colorize.film.settings import DEFAULT_SPEED
from colorize.film.steady import Steady, SteadyColours
from colorize.inference.colorizer import Colorizer

SPEEDS = (1, 2, 4, 8)
SIZE = (320, 240)  # of the clips, width and height
PANNED = ("astronaut", "coffee", "chelsea", "rocket")
_REAL_WIDTH = 320

Clip = list[np.ndarray]  # uint8 sRGB (h, w, 3)


def measure(
    frames: int = 48,
    seconds: float = 10,
    speeds: Sequence[int] = SPEEDS,
    sheet_file: Path | None = None,
) -> dict[str, Any]:
    """Rows of clips and of speeds, and how long a film of 640 x 480 takes."""
    colorizer = Colorizer("default")
    rows = []
    for name, clip in clips(frames):
        rows += _of_clip(colorizer, name, clip, speeds)
    if sheet_file:
        sheet(sheet_file, frames)
    return {"rows": rows, "film": _film(seconds)}


def clips(frames: int) -> Iterator[tuple[str, Clip]]:
    """The clips by name: made ones, cuts among them, then real ones."""
    photos = {name: _photo(name) for name in PANNED}
    for name, photo in photos.items():
        yield f"pan, {name}", list(_panned(photo, frames, 1.0))
    yield "zoom, astronaut", list(_panned(photos["astronaut"], frames, 0.992))
    yield (
        "cut-out, chelsea before coffee",
        list(_passing(photos["coffee"], photos["chelsea"], frames)),
    )
    yield (
        "cut-out, astronaut before rocket",
        list(_passing(photos["rocket"], photos["astronaut"], frames)),
    )
    third = frames // 3
    yield (
        "cuts, three pans",
        [one for name in PANNED[:3] for one in _panned(photos[name], third, 1.0)],
    )
    pans = {name: list(_panned(photo, frames, 1.0)) for name, photo in photos.items()}
    yield "dissolve, rocket to coffee", list(_dissolved(pans["rocket"], pans["coffee"]))
    flash = pans["chelsea"]
    flash[frames // 2] = np.full_like(flash[0], 250)
    yield "flash, chelsea", flash
    yield "fade to black, astronaut", list(_dissolved(pans["astronaut"], [flash[0] * 0] * frames))
    yield from _real(frames)


def _dissolved(first: Clip, second: Clip) -> Iterator[np.ndarray]:
    """From one to the other in the middle third."""
    for n, (one, other) in enumerate(zip(first, second, strict=True)):
        share = np.clip(3 * n / len(first) - 1, 0, 1)
        yield np.rint(one + share * (other.astype(np.float32) - one)).astype(np.uint8)


def _photo(name: str) -> np.ndarray:
    import skimage.data

    return np.asarray(Image.fromarray(getattr(skimage.data, name)()).convert("RGB"))


def _panned(photo: np.ndarray, frames: int, zoom: float) -> Iterator[np.ndarray]:
    """A window of 4:3 over a photo, that moves by fractions of a pixel and gets smaller."""
    image = Image.fromarray(photo)
    width = 0.72 * min(image.width, image.height * 4 / 3)
    height = width * 3 / 4
    for n in range(frames):
        share = n / max(1, frames - 1)
        scale = zoom**n
        w, h = width * scale, height * scale
        left = (image.width - width) * share + (width - w) / 2
        top = (image.height - height) * (0.3 + 0.4 * share) + (height - h) / 2
        box = (left, top, left + w, top + h)
        yield np.asarray(image.resize(SIZE, Image.Resampling.BICUBIC, box=box))


def _passing(ground: np.ndarray, thing: np.ndarray, frames: int) -> Iterator[np.ndarray]:
    """An oval of one photo that crosses a still of another."""
    behind = np.asarray(Image.fromarray(ground).resize(SIZE))
    side = 120
    oval = np.asarray(Image.fromarray(thing).resize((side, side)))
    y, x = np.mgrid[:side, :side] / (side - 1) * 2 - 1
    inside = (x**2 + y**2 < 0.9)[..., None]
    for n in range(frames):
        left = round((SIZE[0] - side) * n / max(1, frames - 1))
        top = 60 + round(20 * np.sin(n / 6))
        frame = behind.copy()
        part = frame[top : top + side, left : left + side]
        part[:] = np.where(inside, oval, part)
        yield frame


def _real(frames: int) -> Iterator[tuple[str, Clip]]:
    import av
    import gradio

    folder = Path(gradio.__file__).parent / "media_assets" / "videos"
    for name in ("a.mp4", "b.mp4"):
        if not (folder / name).is_file():
            continue
        with av.open(str(folder / name)) as film:
            found = []
            for picture in film.decode(video=0):
                height = round(_REAL_WIDTH * picture.height / picture.width)
                small = picture.reformat(_REAL_WIDTH, height, "rgb24", interpolation="AREA")
                found.append(small.to_ndarray())
                if len(found) == frames:
                    break
        yield f"real, {name}", found


def _of_clip(
    colorizer: Colorizer, name: str, clip: Clip, speeds: Sequence[int]
) -> list[dict[str, Any]]:
    """A row for each speed: flicker and error against those of frame by frame."""
    shape = colorizer.working_shape(clip[0].shape[1::-1])
    small = [resize_picture(one, shape[::-1], Image.Resampling.BILINEAR) for one in clip]
    truth = [lab(unit(one))[1:] for one in small]
    greys = [grey_of_lightness(one) for one in clip]
    greys_small = [
        grey_of_pixels(resize_picture(one, shape[::-1], Image.Resampling.BILINEAR)) for one in greys
    ]
    alone = [colorizer(grey).ab for grey in greys]
    motion = Motion()
    backs = [motion.between(one, two)[1] for one, two in pairwise(greys_small)]
    before = _flicker(alone, backs), _error(alone, truth)
    rows = []
    for speed in speeds:
        steady = _steady(alone, greys_small, speed)
        found = [one.ab for one in steady]
        after = _flicker(found, backs), _error(found, truth)
        new = [n for n, (one, other) in enumerate(pairwise(steady), 1) if one.shot != other.shot]
        behind = [n for at in new for n in (at, at + 1) if n < len(clip)]
        rows.append(
            {
                "clip": name,
                "speed": speed,
                "frames": len(clip),
                "shots": len(new) + 1,
                "by_network": sum(one.by_network for one in steady),
                "flicker_alone": before[0],
                "flicker": after[0],
                "flicker_truth": _flicker(truth, backs),
                "error_alone": before[1],
                "error": after[1],
                "behind_cuts_alone": _error_at(alone, truth, behind),
                "behind_cuts": _error_at(found, truth, behind),
            }
        )
    return rows


def _steady(alone: Sequence[np.ndarray], greys: Sequence[np.ndarray], speed: int) -> list[Steady]:
    """The frames with their colours, from predictions of each alone and greys at working size."""
    steady = SteadyColours(lambda number: alone[number], speed)
    found = [one for number, grey in enumerate(greys) for one in steady.add(number, grey)]
    return [*found, *steady.finish()]


def sheet(file: Path, frames: int = 24) -> None:
    """A JPEG: frames of a pan and around a cut; in grey, each alone, and steady."""
    colorizer, rows = Colorizer("default"), []
    made = dict(clips(frames))
    third = frames // 3
    for name, shown in (
        ("pan, astronaut", [round(n * (frames - 1) / 5) for n in range(6)]),
        ("cuts, three pans", range(third - 3, third + 3)),
    ):
        greys = [grey_of_lightness(one) for one in made[name]]
        shape = colorizer.working_shape(made[name][0].shape[1::-1])
        small = [
            grey_of_pixels(resize_picture(one, shape[::-1], Image.Resampling.BILINEAR))
            for one in greys
        ]
        alone = [colorizer(grey).ab for grey in greys]
        steady = [one.ab for one in _steady(alone, small, DEFAULT_SPEED)]
        for some in ([np.zeros_like(one) for one in alone], alone, steady):
            rows.append(np.hstack([render(greys[n], torch.from_numpy(some[n])) for n in shown]))
    whole = Image.fromarray(np.vstack(rows))
    with replacing(file) as out:
        whole.resize((whole.width // 2, whole.height // 2)).save(out, "JPEG", quality=80)


def grey_of_lightness(pixels: np.ndarray) -> np.ndarray:
    """uint8 `(h, w)` of a colour picture's lightness."""
    from colorize.color.lab import grey_lightness_table

    table = grey_lightness_table().numpy()
    L = lab(unit(pixels))[0]
    return np.clip(np.searchsorted(table, L), 0, 255).astype(np.uint8)


def _flicker(colours: Sequence[np.ndarray], backs: Sequence[Any]) -> float:
    """Mean |ab_t - warped ab_(t-1)| where the flow is trusted; frames after a cut have none."""
    total, count = 0.0, 0
    for (one, other), back in zip(pairwise(colours), backs, strict=True):
        sure = back.trust > 0.9
        moved = warp(np.ascontiguousarray(one.transpose(1, 2, 0)), back.vectors)
        change = np.abs(other.transpose(1, 2, 0) - moved)[sure]
        total, count = total + float(change.sum()), count + change.size
    return total / max(1, count)


def _error(colours: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """Mean distance in ab of the truth."""
    pairs = zip(colours, truth, strict=True)
    return float(np.mean([np.hypot(*(one - other)).mean() for one, other in pairs]))


def _error_at(
    colours: Sequence[np.ndarray], truth: Sequence[np.ndarray], at: Sequence[int]
) -> float | None:
    return _error([colours[n] for n in at], [truth[n] for n in at]) if at else None


def _film(seconds: float) -> list[dict[str, Any]]:
    """Seconds and memory of a film of 640 x 480 at 24 frames a second, in a process of its own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for length in (seconds, 2 * seconds):
            source = Path(folder) / f"{length}.mp4"
            _write(source, length)
            code = (
                "import sys; from benchmarks.speed.film import timed; "
                f"timed(sys.argv[1], {str(source.with_suffix('.out.mp4'))!r})"
            )
            done = subprocess.run(
                [sys.executable, "-c", code, str(source)],
                capture_output=True,
                text=True,
                check=True,
            )
            took, work, mb = map(float, done.stdout.split())
            rows.append(
                {
                    "length": length,
                    "seconds": took,
                    "ratio": took / length,
                    "work_ratio": work / length,
                    "MB": mb,
                }
            )
    return rows


def timed(source: str, output: str) -> None:
    """Prints the seconds that a film takes, the model loaded, those of the processor, which other
    programs disturb less, and the most megabytes."""
    from colorize.film import colorize

    colorizer = Colorizer("default")
    began, worked = time.perf_counter(), time.process_time()
    colorize(source, output, colorizer)
    took, work = time.perf_counter() - began, time.process_time() - worked
    print(took, work, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _write(file: Path, seconds: float) -> None:
    import av

    with av.open(str(file), "w") as made:
        stream = made.add_stream("libx264", rate=24, options={"crf": "20"})
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        count = round(24 * seconds)
        photos = [_photo(name) for name in PANNED]
        shots = -(-count // len(photos))
        for n, pixels in enumerate(one for photo in photos for one in _panned(photo, shots, 1.0)):
            if n == count:
                break
            grey = Image.fromarray(grey_of_lightness(pixels)).resize((640, 480))
            frame = av.VideoFrame.from_ndarray(np.asarray(grey), format="gray")
            made.mux(stream.encode(frame.reformat(format="yuv420p")))
        made.mux(stream.encode(None))

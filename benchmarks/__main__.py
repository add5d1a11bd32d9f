"""How fast photos are colorized, and with how much memory.

    python -m benchmarks
    python -m benchmarks stages networks --json speed.json
    python -m benchmarks folder --folder 8
    python -m benchmarks models --document README.md

Parts: stages (one photo against plain decoding and encoding), scaling (time and memory by size and
number), folder (many photos, several at a time against one at a time), networks (a forward of
each), strokes (until a stroke is seen), models (a photo with each, ours and published, and the
memory it takes), starting (the app's cold start, imports), visitors (the app's memory after many),
tab (what a visitor waits for with 1, 30 and 60 photos, the memory after 200 of them); and, only
where it is named, film (flicker, colour error, speed and memory of films).
All photos are made up. Ratios are of one run; on a busy machine the seconds say little.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from colorize.evaluation.markdown import with_tables
from colorize.files import replacing

PARTS = (
    "stages",
    "scaling",
    "folder",
    "networks",
    "strokes",
    "models",
    "starting",
    "visitors",
    "tab",
)
FILM = "film"  # a part of its own: its tables are in another document
# Where the tables go in a document: between <!-- speed --> and <!-- /speed -->; and the one of
# all models alone.
MARK, MODELS = "speed", "all-models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the tables; the exit status."""
    options = _parser().parse_args(arguments)
    parts = (*PARTS, FILM)
    unknown = set(options.parts) - set(parts)
    if unknown:
        print(f"There is no part {min(unknown)!r}; parts are {', '.join(parts)}", file=sys.stderr)
        return 2
    try:
        text = options.document.read_text("utf-8") if options.document else None
        mark = {("models",): MODELS, (FILM,): FILM}.get(tuple(options.parts), MARK)
        if text is not None:
            with_tables(text, {mark: ""})
            if options.parts and mark == MARK:
                raise ValueError("its tables are of all parts: name no part with --document")
        for file in (options.json, options.plot, options.sheet):
            if file and not file.absolute().parent.is_dir():
                raise ValueError(f"there is no folder {file.absolute().parent}")
    except (OSError, ValueError) as error:
        print(f"{options.document or 'benchmarks'}: {error}", file=sys.stderr)
        return 2
    from benchmarks.speed import report, scaling

    found: dict[str, Any] = {"machine": report.machine()}
    with tempfile.TemporaryDirectory() as folder:
        for part in options.parts or PARTS:
            print(f"{part} ...", file=sys.stderr, flush=True)
            found[part] = _measures()[part](Path(folder), options)
            if options.json:  # after each part: who interrupts keeps what was measured
                _write(options.json, json.dumps(found, indent=1) + "\n")
    tables = report.markdown(found)
    print(tables)
    if options.plot and "scaling" in found:
        scaling.plot(found["scaling"], options.plot)
    if text is not None:
        renewed = report.models_table(found["models"]) if mark == MODELS else tables
        _write(options.document, with_tables(text, {mark: renewed}))
    return 0


def _write(file: Path, text: str) -> None:
    with replacing(file) as out:
        out.write(text.encode())


def _measures() -> dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]]:
    from benchmarks.speed import (
        film,
        folder,
        models,
        networks,
        scaling,
        stages,
        starting,
        strokes,
        tab,
        visitors,
    )

    return {
        "stages": lambda where, o: stages.measure(where, o.megapixels, o.rounds),
        "scaling": lambda where, o: scaling.measure(where, o.sizes, o.photos, o.rounds // 2 + 1),
        "folder": lambda where, o: folder.measure(o.folder),
        "networks": lambda where, o: networks.measure(rounds=o.rounds),
        "strokes": lambda where, o: strokes.measure(o.rounds),
        "models": lambda where, o: models.measure(where, o.megapixels, only=o.only),
        "starting": lambda where, o: starting.measure(o.rounds),
        "visitors": lambda where, o: visitors.measure(o.visitors),
        "tab": lambda where, o: tab.measure(rounds=o.rounds),
        FILM: lambda where, o: film.measure(o.frames, o.seconds, sheet_file=o.sheet),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="(default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument(
        "--document",
        type=Path,
        metavar="FILE",
        help=f"renew its tables after <!-- {MARK} -->, or with models alone after "
        f"<!-- {MODELS} -->",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw scaling's figures (PNG)")
    parser.add_argument(
        "--sheet", type=Path, metavar="FILE", help="frames of film, grey, alone and steady (JPEG)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (default: 5)")
    parser.add_argument(
        "--megapixels", type=float, default=12, help="of the photo of stages (default: 12)"
    )
    parser.add_argument(
        "--sizes", type=float, nargs="+", default=[1, 4, 12, 50], metavar="MP", help="of scaling"
    )
    parser.add_argument("--photos", type=int, default=24, help="of scaling (default: 24)")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="of models (default: all)"
    )
    parser.add_argument(
        "--folder", type=int, default=100, metavar="N", help="photos of folder (default: 100)"
    )
    parser.add_argument(
        "--visitors", type=int, default=300, metavar="N", help="of visitors (default: 300)"
    )
    parser.add_argument(
        "--frames", type=int, default=48, metavar="N", help="of each clip of film (default: 48)"
    )
    parser.add_argument(
        "--seconds", type=float, default=10, metavar="S", help="of the film that is timed"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Renders every picture of a study once, ahead, and freezes the study.

It may be stopped at any moment and called again: what is there is kept, what was shown is never
altered.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from turing.errors import TuringError
from turing.stimuli import render
from turing.stimuli.photos import file_sha256
from turing.stimuli.plates import render_missing_plates
from turing.stimuli.progress import Progress, quiet
from turing.stimuli.selection import Source, report, select, survey
from turing.store import preregistration
from turing.store.files import clear_leftovers, unfinished
from turing.store.people import block
from turing.store.store import StimulusFacts, Store
from turing.study.blocklist import blocked_ids
from turing.study.study import Study
from turing.study.trials import Design, Parts, Placed, every_stimulus

_THREADS = 2
_BATCH, _BATCH_PIXELS = 8, 5e7  # photos in memory at once

Halves = Mapping[str | None, np.ndarray]


@dataclass(frozen=True)
class Built:
    """A version of a study, ready to be opened.

    `rendered` pictures were made now, `kept` were there. `report` says what became of the photos:
    `turing.stimuli.selection.report_lines` has it in words.
    """

    version: int
    rendered: int
    kept: int
    report: Mapping[str, Any]
    preregistration: Path


def build(study: Study, store: Store, progress: Progress = quiet, device: str = "auto") -> Built:
    """Render what is missing, and make this the version that new participants see.

    Raises TuringError for folders, photos or models that are missing, with a line for each; where
    too few photos are left for one participant, it says how many are missing.
    """
    blocked = blocked_ids(study)
    clear_leftovers(store.pictures, r"[0-9a-f]{64}\.png|preregistration-\d+\.json")
    practice = _practice_models(study, store)
    colours = render.Colours((*study.stimuli.models, *practice), device)
    surveyed = survey(study, progress)
    selection = select(study, surveyed)
    design = study.design(selection, practice)
    sources = {source.place: source for source in surveyed.good}
    pictures = _pictures(study, design, sources, colours)
    rendered = _render(study, store, pictures, sources, colours, progress)
    kept = len(pictures) - rendered
    if study.screening.plates:
        rendered += render_missing_plates(store)
    known = [store.find_stimulus(facts.sha256) for facts in pictures]
    left_out = report(study, surveyed, selection) | {
        "models": colours.origins((*study.models, *practice)),
        "practice_models": practice,
    }
    version = store.freeze(
        study,
        design,
        [found[0] for found in known if found],
        render.PROGRAM,
        left_out,
        with_it=lambda db: block(db, study, blocked),
    )
    path = preregistration.write(store, version)
    return Built(version, rendered, kept, left_out, path)


def _practice_models(study: Study, store: Store) -> tuple[str, ...]:
    if not study.trials.practice:
        return ()
    before: Sequence[str] = ()
    if number := store.facts().version:
        with store.reading() as db:
            before = store.version(db, number).design.practice_models
    return render.practice_models(study.models, study.protocol, before)


def _pictures(
    study: Study,
    design: Design,
    sources: Mapping[Placed, Source],
    colours: render.Colours,
) -> list[StimulusFacts]:
    """What makes each picture of the study."""
    every = every_stimulus(design)
    canvas = None
    if study.protocol == "single":  # one for all, so that lengths tell nothing
        sizes = [_size(study, sources[place]) for place, _ in every]
        canvas = [max(sides) for sides in zip(*sizes, strict=True)]
    return [_facts(study, place, parts, sources[place], colours, canvas) for place, parts in every]


def _facts(
    study: Study,
    place: Placed,
    parts: Parts,
    source: Source,
    colours: render.Colours,
    canvas: list[int] | None,
) -> StimulusFacts:
    hashes, networks = [], {}
    for part in parts:
        sha256, network = colours.made_of(part)
        hashes.append(source.external[part][1] if part in source.external else sha256)
        if network:
            networks[part] = network
    settings = {
        "renderer": render.RENDERER,
        "display_size": study.stimuli.display_size,
        "canvas": canvas,
        "networks": networks,
    }
    return StimulusFacts(place.photo, place.dataset, parts, tuple(hashes), settings)


def _size(study: Study, source: Source) -> tuple[int, int]:
    size = source.facts.width, source.facts.height
    return render.display_size(size, study.stimuli.display_size)


def _render(
    study: Study,
    store: Store,
    pictures: Sequence[StimulusFacts],
    sources: Mapping[Placed, Source],
    colours: render.Colours,
    progress: Progress,
) -> int:
    """Make the pictures that are not there, and add them to the store; returns how many."""
    missing: dict[Placed, list[StimulusFacts]] = {}
    for facts in pictures:
        if not _is_there(store, facts):
            missing.setdefault(Placed(facts.dataset, facts.photo_sha256), []).append(facts)
    total, done = sum(map(len, missing.values())), 0
    progress("pictures", done, total)
    with ThreadPoolExecutor(_THREADS) as pool:
        for batch in _batches([sources[place] for place in missing]):
            shown = list(pool.map(partial(_display, study), batch))
            wanted = [missing[source.place] for source in batch]
            halves = _halves(shown, wanted, colours, pool)
            for source, facts_of, made in zip(batch, wanted, halves, strict=True):
                store.add_photo(source.facts)
                for facts in facts_of:
                    _save(store, facts, made)
                done += len(facts_of)
                progress("pictures", done, total)
    return total


def _batches(sources: Sequence[Source]) -> Iterator[list[Source]]:
    batch: list[Source] = []
    for source in sources:
        pixels = sum(one.facts.width * one.facts.height for one in (*batch, source))
        if batch and (len(batch) == _BATCH or pixels > _BATCH_PIXELS):
            yield batch
            batch = []
        batch.append(source)
    if batch:
        yield batch


def _is_there(store: Store, facts: StimulusFacts) -> bool:
    known = store.find_stimulus(facts.sha256)
    path = store.picture_path(facts.sha256)
    return known is not None and path.is_file() and file_sha256(path) == known[1]


def _display(study: Study, source: Source) -> render.Displayed:
    external = {model: path for model, (path, _) in source.external.items()}
    size = study.stimuli.display_size
    return render.display(source.path, source.facts.sha256, size, external)


def _halves(
    shown: Sequence[render.Displayed],
    wanted: Sequence[Sequence[StimulusFacts]],
    colours: render.Colours,
    pool: ThreadPoolExecutor,
) -> list[Halves]:
    """For each photo, the parts that its pictures are made of."""
    halves: list[dict[str | None, np.ndarray]] = [{} for _ in shown]
    needs = [{part for facts in facts_of for part in facts.parts} for facts_of in wanted]
    for part in sorted(set().union(*needs), key=str):
        who = [number for number, need in enumerate(needs) if part in need]
        ab = colours.ab(part, [shown[number] for number in who])
        rendered = pool.map(render.render, [shown[number].L for number in who], ab)
        for number, pixels in zip(who, rendered, strict=True):
            halves[number][part] = pixels
    return halves


def _save(store: Store, facts: StimulusFacts, halves: Halves) -> None:
    """Put a picture on disk before its row; where there is a row, only the picture it names."""
    png = render.compose([halves[part] for part in facts.parts], facts.settings["canvas"])
    sha256 = hashlib.sha256(png).hexdigest()
    if store.find_stimulus(facts.sha256):
        store.add_stimulus(facts, sha256)  # refuses another
    path = store.picture_path(facts.sha256)
    try:
        path.parent.mkdir(exist_ok=True)
        with unfinished(path) as temporary:
            temporary.write_bytes(png)
    except OSError as error:
        raise TuringError(f"{path}: cannot be written ({error.strerror})") from error
    store.add_stimulus(facts, sha256)

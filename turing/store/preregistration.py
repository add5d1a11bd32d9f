"""What a study fixes before its first participant, in one file with its own SHA-256.

It follows from the frozen version alone, so that the same program can write it again, byte for
byte. Published where a date is kept, it shows later that nothing was changed after the answers were
seen.
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from turing.errors import TuringError
from turing.store.files import unfinished
from turing.store.store import Store
from turing.study.study import Study

FORMAT = 1

_OUTCOMES = {
    "preference": (
        "Bradley-Terry strengths of the models by maximum likelihood with a term for the left "
        "side, 95% intervals for crossed participants and photos."
    ),
    "single": (
        "Turing fraction of each model, by dataset and over all: half the share of its "
        "colorizations that were told, half that of the originals, which all models share; d' and "
        "criterion; 95% intervals for crossed participants and photos."
    ),
}
_OUTCOME = (
    "Turing fraction (correct / shown) of each model, by dataset and over all, with 95% intervals "
    "for crossed participants and photos; pairs of models compared with Holm's correction."
)
_NO_EXCLUSIONS = {"delta", "looks", "spending"}
_VERDICT = (
    "indistinguishable: the 90% interval lies within 0.5 - delta and 0.5 + delta; told apart: the "
    "95% interval lies above 0.5; reversed: below 0.5; undecided: none of these."
)


def write(store: Store, version: int) -> Path:
    """Write the file of a frozen version beside its pictures; one that is whole stays as it is."""
    path = store.pictures / f"preregistration-{version}.json"
    with contextlib.suppress(TuringError):
        verify(path)
        return path
    content = _content(store, version)
    content["sha256"] = digest(content)
    with unfinished(path) as temporary:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        temporary.write_text(text + "\n", "utf-8")
    return path


def verify(path: Path) -> dict[str, Any]:
    """The content of a file that is as it was written. TuringError where it is not."""
    try:
        content = json.loads(path.read_text("utf-8"))
        said = content["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        raise TuringError(f"{path}: expected a pre-registration file, found none") from None
    if said != digest(content):
        raise TuringError(f"{path}: changed after it was written: its SHA-256 does not fit")
    return content


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of all but the key `sha256`: JSON in UTF-8, keys sorted, no spaces."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _content(store: Store, number: int) -> dict[str, Any]:
    with store.reading() as db:
        version = store.version(db, number)
        (program,) = db.execute("SELECT program FROM study WHERE version = ?", (number,)).fetchone()
        stimuli = db.execute(
            "SELECT s.sha256, s.png_sha256, s.left, s.left_sha256, s.right, s.right_sha256, "
            "s.settings FROM study_stimuli v JOIN stimuli s ON s.id = v.stimulus "
            "WHERE v.version = ? ORDER BY s.sha256",
            (number,),
        ).fetchall()
    facts = store.facts()
    checkpoints: dict[str, dict[str, Any]] = {}
    for _, _, left, left_sha256, right, right_sha256, settings in stimuli:
        networks = json.loads(settings).get("networks", {})
        for name, sha256 in ((left, left_sha256), (right, right_sha256)):
            if name in networks:
                checkpoints[name] = {"weights_sha256": sha256, **networks[name]}
    return {
        "format": FORMAT,
        "program": program,
        "study": {"name": version.study.name, "version": number, "part": facts.part}
        | {
            "title": version.study.study.title,
            "file_sha256": hashlib.sha256(version.study.source.encode()).hexdigest(),
            "meaning_sha256": version.study.sha256,
        },
        "design": asdict(version.design) | _shown(version.study),
        "outcome": _OUTCOMES.get(version.study.protocol, _OUTCOME),
        "verdict": None if version.study.protocol == "preference" else _VERDICT,
        "delta": version.study.analysis.delta,
        "exclusions": version.study.analysis.model_dump(mode="json", exclude=_NO_EXCLUSIONS),
        "stop_rule": _stop_rule(version.study),
        "trial_key_sha256": hashlib.sha256(facts.trial_key).hexdigest(),
        "checkpoints": checkpoints,
        "stimuli": {sha256: png_sha256 for sha256, png_sha256, *_ in stimuli},
    }


def _shown(study: Study) -> dict[str, Any]:
    return {
        "display_size": study.stimuli.display_size,
        "min_chroma": study.stimuli.min_chroma,
        "exposure_ms": study.trials.exposure_ms,
        "break_every": study.trials.break_every,
    }


def _stop_rule(study: Study) -> str:
    planned = study.participants.planned
    if planned is None:
        return "None was fixed: participants.planned is not in the study file."
    counted = "whom no exclusion leaves out"
    if not (looks := study.analysis.looks):
        return f"{planned} counted participants: who answered scored trials, {counted}."
    at = ", ".join(map(str, looks))
    return (
        f"Looks at {at} counted participants: who finished, {counted}, the first ones of each "
        f"number. Error spent as by {study.analysis.spending} (Lan and DeMets 1983), 5% in all. "
        "The study closes by itself after the last look."
    )

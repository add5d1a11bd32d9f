"""The texts of the participant's page: ours by language, and a study's own in their place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from turing.study.study import Study
from turing.study.trials import Protocol

Texts = Mapping[str, str]


def read_texts(page: Path) -> dict[str, Texts]:
    """Those of a page's folder, texts/LANGUAGE.json, by language."""
    files = sorted((page / "texts").glob("*.json"))
    return {file.stem: json.loads(file.read_text("utf-8")) for file in files}


def of_language(texts: Mapping[str, Texts], language: str) -> Texts:
    """Ours for a language; "de-AT" finds "de". None at all: nothing."""
    return texts.get(language) or texts.get(language.partition("-")[0], {})


def prompt(texts: Mapping[str, Texts], study: Study) -> str:
    """What a trial asks: in the study's own words, else in its language, else in English."""
    name = f"prompt_{study.protocol}"
    known = (study.texts.buttons, of_language(texts, study.study.language), texts.get("en", {}))
    return next((some[name] for some in known if name in some), "")


def of_study(study: Study) -> dict[str, str]:
    """The texts that a study file gives, by the page's names."""
    own = study.texts.model_dump(exclude={"buttons"}, exclude_unset=True)
    return study.texts.buttons | own


def untranslated(texts: Mapping[str, Texts], study: Study) -> list[str]:
    """Names of what this study's participants read in English, though it is not in English."""
    known = {*of_language(texts, study.study.language), *of_study(study)}
    others = tuple(f"_{protocol}" for protocol in get_args(Protocol) if protocol != study.protocol)
    unread = {f"instructions_{study.protocol}"}  # the study file always gives its own
    return [n for n in texts["en"] if n not in known | unread and not n.endswith(others)]

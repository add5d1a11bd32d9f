"""The study file: its keys and their defaults, read, checked and frozen.

`docs/study.toml` is the documented example. The description of a key is what an error message
says was expected of it.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    PrivateAttr,
    ValidationError,
)

from turing.errors import TuringError
from turing.study.faults import Fault, faults_of, found_contradictions
from turing.study.timing import STAIRCASE, Exposure, checked_exposure
from turing.study.trials import Design, Protocol, Selection

LARGEST_FILE = 1 << 20  # bytes
_SQLITE = b"SQLite format 3\x00"  # how a store begins

Line = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
OptionalLine = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
Text = Annotated[
    str, Field(min_length=1, max_length=20_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")
]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
Parameter = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]

_MODEL_NAME = "a name of letters, digits and . _ + - (64 at most)"


class _Table(BaseModel):
    # Strict, so that "20" is no number; TOML's lists become tuples, which cannot change.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


def _a_list(description: str, **constraints: Any) -> Any:
    return Field(strict=False, description=description, **constraints)


def _newer(default: Any, **constraints: Any) -> Any:
    """A key that stores built before do not know: at its default it is no part of the hash."""
    return Field(default, json_schema_extra={"newer": True}, **constraints)


class Identity(_Table):
    """[study]"""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$",
        description="letters, digits and '-' (64 at most; not '-' first)",
    )
    title: Line = Field(description="a line of text")
    protocol: Protocol = Field(
        description="one of 'pick-original', 'pick-fake-sequential', 'single', 'preference'"
    )
    language: str = Field(
        "en",
        pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="a language code like 'en' or 'pt-BR'",
    )
    seed: int = Field(ge=0, lt=2**63, description="a whole number from 0 to 2^63 - 1")


class Dataset(_Table):
    """[[stimuli.datasets]]"""

    name: Line = Field(max_length=64, description="a label of 64 characters at most")
    folder: Line = Field(description="a folder of colour photos, relative to the study file")


class External(_Table):
    """[[stimuli.external]]: somebody else's colorizations, matched by file name."""

    name: ModelName = Field(description=_MODEL_NAME)
    folder: Line = Field(description="a folder of colorizations, relative to the study file")


class Stimuli(_Table):
    """[stimuli]"""

    photos_per_dataset: int = Field(ge=0, description="a whole number, 0 = all photos")
    display_size: int = Field(ge=32, le=4096, description="pixels, from 32 to 4096")
    min_chroma: float = Field(5.0, ge=0, le=100, description="a mean chroma from 0 to 100")
    models: tuple[ModelName, ...] = _a_list(
        f"a list of checkpoints, each {_MODEL_NAME}", default=()
    )
    datasets: tuple[Dataset, ...] = _a_list("one block [[stimuli.datasets]] or more", min_length=1)
    external: tuple[External, ...] = _a_list("blocks [[stimuli.external]]", default=())


_AS_IT_IS = PlainSerializer(lambda value: value, return_type=Any)
_MILLISECONDS = {"ge": 0, "le": 60_000, "description": "milliseconds, 0 = none"}


class Trials(_Table):
    """[trials]"""

    per_participant: int = Field(ge=1, le=10_000, description="a whole number from 1 to 10000")
    practice: int = Field(ge=0, le=1000, description="a whole number from 0 to 1000")
    catch: int = Field(ge=0, le=1000, description="a whole number from 0 to 1000")
    exposure_ms: Annotated[Exposure, PlainValidator(checked_exposure), _AS_IT_IS] = Field(
        description="milliseconds, 0 = until answered, a list of two or more, or 'staircase'"
    )
    fixation_ms: int = _newer(0, **_MILLISECONDS)
    gap_ms: int = _newer(0, **_MILLISECONDS)
    mask_ms: int = _newer(0, **_MILLISECONDS)
    break_every: int = Field(0, ge=0, description="a number of trials, 0 = never")
    ties: bool = _newer(False, description="true or false")
    confidence: bool = _newer(False, description="true or false")
    marks: bool = _newer(False, description="true or false")

    @property
    def is_timed(self) -> bool:
        """Whether pictures go away by themselves."""
        return self.exposure_ms != 0

    @property
    def exposures(self) -> tuple[int, ...]:
        """The levels of a list in ms, shortest first; none where there is one, or a staircase."""
        return tuple(sorted(self.exposure_ms)) if isinstance(self.exposure_ms, tuple) else ()

    @property
    def has_staircase(self) -> bool:
        return self.exposure_ms == STAIRCASE


_ADDRESS = {
    "max_length": 2000,
    "pattern": r"^(https?://[^\s<>\"\\\x00-\x1f\x7f]+)?$",
    "description": "an address that starts with http:// or https://, or nothing",
}


_AnswersByQuestion = dict[str, Annotated[tuple[str, ...], Field(strict=False)]]
_ANSWERS_BY_QUESTION = 'lists of choices by question, { id = ["choice"] }'


class Participants(_Table):
    """[participants]"""

    query: tuple[Parameter, ...] = _a_list(
        "a list of names of letters, digits and _ . - (as they stand in the address)", default=()
    )
    identify_by: OptionalLine = Field("", description="one of the names in participants.query")
    completion_code: OptionalLine = Field("", description="a line of text")
    return_url: str = Field("", **_ADDRESS)
    require_id: bool | None = _newer(None, description="true or false")
    max_open: int = _newer(1000, ge=1, description="a whole number, 1 or more")
    max_an_hour: int = _newer(2000, ge=1, description="a whole number, 1 or more")
    declined_url: str = _newer("", **_ADDRESS)
    left_url: str = _newer("", **_ADDRESS)
    screened_out_url: str = _newer("", **_ADDRESS)
    closed_url: str = _newer("", **_ADDRESS)
    screen_out: _AnswersByQuestion = _newer({}, description=_ANSWERS_BY_QUESTION)
    consent_boxes: tuple[Line, ...] = _newer((), strict=False, description="a list of lines")
    blocklist: OptionalLine = _newer("", description="a file of IDs, relative to the study file")
    resume: Literal["token", "id"] = _newer("token", description="'token' or 'id'")
    retention: date | None = _newer(None, description="a date like 2027-06-30")
    on_leave: Literal["keep", "delete"] = _newer("keep", description="'keep' or 'delete'")
    planned: int | None = Field(None, ge=1, description="a whole number, 1 or more")
    show_score: bool = Field(True, description="true or false")

    @property
    def needs_id(self) -> bool:
        """Whether nobody takes part without an ID: where people are told apart by it, unless
        `require_id` says otherwise.
        """
        return bool(self.identify_by) if self.require_id is None else self.require_id


class Texts(_Table):
    """[texts], in Markdown without HTML."""

    consent: Text = Field(description="Markdown, 20000 characters at most")
    instructions: Text = Field(description="Markdown, 20000 characters at most")
    thanks: Text = Field("Thank you!", description="Markdown, 20000 characters at most")
    buttons: dict[str, Line] = _newer({}, description="lines of text by the names in texts/en.json")


class Question(_Table):
    """[[questions]]; without choices the answer is free text."""

    id: Parameter = Field(description="a name of letters, digits and _ . - (64 at most)")
    when: Literal["before", "after"] = Field(description="'before' or 'after'")
    ask: Line = Field(description="a line of text")
    choices: tuple[Line, ...] = _a_list("a list of texts to choose from", default=())
    required: bool = Field(True, description="true or false")


class Analysis(_Table):
    """[analysis]: who is counted. No answer is ever deleted."""

    min_catch_correct: float = Field(0.5, ge=0, le=1, description="a share from 0 to 1")
    min_median_rt_ms: float = Field(250.0, ge=0, description="milliseconds, 0 or more")
    only_complete: bool = Field(False, description="true or false")
    max_focus_lost: int | None = _newer(None, ge=0, description="a whole number, 0 or more")
    min_refresh_hz: float = _newer(0.0, ge=0, description="frames a second, 0 or more")
    max_rt_ms: float = _newer(0.0, ge=0, description="milliseconds, 0 or more")
    shown_again: bool = _newer(False, description="true or false")
    exclude_answers: _AnswersByQuestion = Field(
        default_factory=dict, description=_ANSWERS_BY_QUESTION
    )
    looks: tuple[Annotated[int, Field(ge=1)], ...] = _newer(
        (),
        strict=False,
        description="a list of rising whole numbers, 1 or more: participants at each look",
    )
    spending: Literal["obrien-fleming", "pocock"] = _newer(
        "obrien-fleming", description="'obrien-fleming' or 'pocock'"
    )
    delta: float = Field(0.1, gt=0, lt=0.5, description="a number above 0 and below 0.5")


class Device(_Table):
    """[device]: on what people may take part. The page looks at it before the consent."""

    require: Literal["any", "desktop"] = Field("any", description="'any' or 'desktop'")
    min_width: int = Field(0, ge=0, le=10_000, description="pixels of the page, 0 = any width")
    fullscreen: bool = Field(False, description="true or false")


class Screening(_Table):
    """[screening]: plates of the colour screening, before the practice."""

    plates: int = Field(0, ge=0, le=60, description="a whole number from 0 to 60")
    min_correct: int = Field(0, ge=0, description="a whole number, screening.plates at most")


class Study(_Table):
    """A study as its file says. Two studies are the same where their `sha256` is."""

    study: Identity = Field(description="a section [study]")
    stimuli: Stimuli = Field(description="a section [stimuli]")
    trials: Trials = Field(description="a section [trials]")
    participants: Participants = Field(
        default_factory=Participants, description="a section [participants]"
    )
    texts: Texts = Field(description="a section [texts]")
    questions: tuple[Question, ...] = _a_list("blocks [[questions]]", default=())
    device: Device = _newer(Device(), description="a section [device]")
    screening: Screening = _newer(Screening(), description="a section [screening]")
    analysis: Analysis = Field(default_factory=Analysis, description="a section [analysis]")

    _source: str = PrivateAttr("")
    _directory: Path = PrivateAttr(Path())

    @property
    def name(self) -> str:
        return self.study.name

    @property
    def protocol(self) -> Protocol:
        return self.study.protocol

    @property
    def models(self) -> tuple[str, ...]:
        """Every model under test: checkpoints, then external ones."""
        return (*self.stimuli.models, *(external.name for external in self.stimuli.external))

    @property
    def source(self) -> str:
        """The file's text, a byte order mark too, to be kept with the study."""
        return self._source

    @property
    def canonical(self) -> str:
        """Every key with its value as JSON: comments and order do not matter.

        Defaults too, but for keys that came later: a store built before is still of this study.
        """
        values = _without_newer_defaults(self)
        return json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """The hash of `canonical`, in hex."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def path(self, folder: str) -> Path:
        """A folder that the file names, relative to the file."""
        named = Path(folder)
        return self._directory / (named.expanduser() if folder.startswith("~/") else named)

    def design(self, selection: Selection, practice_models: Sequence[str] = ()) -> Design:
        """What the trials follow from, with the photos that `select_photos` chose."""
        return Design(
            protocol=self.protocol,
            models=self.models,
            photos=selection.scored,
            practice=selection.practice,
            catch=selection.catch,
            per_participant=self.trials.per_participant,
            seed=self.study.seed,
            practice_models=tuple(practice_models),
        )

    def return_link(self, query: Mapping[str, str]) -> str:
        """`return_url` with {code} and a participant's {KEY}s filled in, quoted for an address."""
        known = {**dict.fromkeys(self.participants.query, ""), **query}
        known["code"] = self.participants.completion_code
        return "".join(
            literal + (quote(known[key], safe="") if key else "")
            for literal, key, _, _ in Formatter().parse(self.participants.return_url)
        )


def load_study(path: Path | str) -> Study:
    """Read and check a study file. TuringError has one line for each thing that is wrong."""
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if data.startswith(_SQLITE):
            raise TuringError(f"{path}: this is a store; expected a study file (TOML)")
        text = data.decode("utf-8")
    except IsADirectoryError:
        raise TuringError(f"{path}: expected a study file, found a folder") from None
    except FileNotFoundError:
        other = ", and this is a store's name" if path.suffix == ".sqlite" else ""
        raise TuringError(f"{path}: expected a study file (TOML), found none{other}") from None
    except OSError as error:
        raise TuringError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TuringError(f"{path}: expected text in UTF-8, found other bytes") from None
    if len(data) > LARGEST_FILE:
        raise TuringError(f"{path}: expected a study file of 1 MiB at most, found a larger one")
    return parse_study(text, path)


def parse_study(text: str, path: Path | str = "study.toml") -> Study:
    """A study from its TOML; `path` is named in messages, and folders are relative to it."""
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise TuringError(f"{path}: not valid TOML: {error}") from None
    except RecursionError:
        raise TuringError(f"{path}: not valid TOML: brackets nested too deeply") from None
    try:
        study = Study.model_validate(data)
    except ValidationError as error:
        raise _refused(path, faults_of(Study, data, error)) from None
    if faults := found_contradictions(study):
        raise _refused(path, faults)
    study._source, study._directory = text, Path(path).parent
    return study


def demo_study(directory: Path | str, models: Sequence[str] = ("baseline", "fusion")) -> Study:
    """The built-in study, with photos in `directory`/photos."""
    text = (files("turing.study") / "demo.toml").read_text("utf-8")
    text = text.replace('models = ["baseline", "fusion"]', f"models = {json.dumps(list(models))}")
    return parse_study(text, Path(directory) / "demo.toml")


def _without_newer_defaults(table: _Table) -> dict[str, Any]:
    values = table.model_dump(mode="json")
    for name, field in type(table).model_fields.items():
        value = getattr(table, name)
        default = field.get_default(call_default_factory=True)
        if (field.json_schema_extra or {}).get("newer") and value == default:
            del values[name]
        elif isinstance(value, _Table):
            values[name] = _without_newer_defaults(value)
    if isinstance(table, Participants) and table.needs_id == bool(table.identify_by):
        values.pop("require_id", None)  # said outright or not
    return values


def _refused(path: Path | str, faults: Sequence[Fault]) -> TuringError:
    return TuringError("\n".join(f"{path}: {fault}" for fault in faults))

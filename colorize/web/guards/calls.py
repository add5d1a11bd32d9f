"""What may stand in a call of one of Gradio's events, checked before Gradio sees it.

Gradio answers what does not fit with 500 and a traceback, or hands it to the handler as it is.
"""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import gradio as gr
from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from gradio_client.utils import construct_args
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

_CALL = re.compile(r"queue/join|(?P<way>run|call/v2|call)/(?P<name>[^/]+)/?")
_FOLLOWED = re.compile(r"call/(v2/)?[^/]+/(?P<event>[^/]+)")

Place = Annotated[int, Field(ge=0, le=2**31)]  # of a photo, or of an example
Name = Annotated[str, Field(max_length=300)]
Names = Annotated[list[Name], Field(max_length=1000)]


class Fault(NamedTuple):
    """Why a call is refused: the status of HTTP, and a sentence."""

    status: int
    sentence: str


class _Given(BaseModel):
    """What the page sends with an event."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Photos(_Given):
    paths: Annotated[list[Annotated[str, Field(max_length=4096)]], Field(max_length=1000)]
    goesOn: bool = False  # noqa: N815 - as the page's script names it


class Example(_Given):
    number: Place


class Chosen(_Given):
    photo: Place


class Cropped(Chosen):
    cropped: bool


class Resumed(_Given):
    key: Name
    models: Names
    size: Place | Name | None


_EVENTS: dict[str, type[_Given]] = {
    "photos": Photos,
    "example": Example,
    "look": Chosen,
    "remove": Chosen,
    "crop": Cropped,
    "resume": Resumed,
}


def uploaded(path: str) -> Path | None:
    """The file that was uploaded under a path: nothing else is opened because a call names it."""
    try:
        file = Path(path).resolve()
        is_ours = file.is_relative_to(Path(get_upload_folder()).resolve()) and file.is_file()
    except (OSError, ValueError):  # no name that a file may have
        return None
    return file if is_ours else None


def _is_uploaded(path: str) -> str:
    if not uploaded(path):
        raise ValueError
    return path


class _File(FileData):
    path: Annotated[str, AfterValidator(_is_uploaded)]


class Calls:
    """Knows the events of an app that is built, and those of its calls that are under way."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self._blocks = blocks

    def fault(self, call: str, content: Any) -> Fault | None:
        """What is wrong with a call's content; `call` is its path behind /gradio_api/."""
        found = _CALL.fullmatch(call)
        if found is None or not isinstance(content, dict):
            return None  # Gradio refuses what is no object
        if found["way"] == "call/v2":
            return self._fault_by_name(found["name"], content)
        if content.get("fn_index") is None and found["name"] is None:
            return None  # of the queue, which says so
        if not _has_form(content):
            return None
        event = self._event_of(found, content)
        if event is None:
            return Fault(404, "There is no such call.")
        if content.get("batched"):
            return Fault(422, "batched: expected false.")
        return _first_fault(event, content["data"], content.get("event_data"))

    def complete(self, call: str, content: Any) -> bool:
        """Adds what a call leaves out at its end and may: what programs of before do not know.

        Whether something was missing. A component that may be left out has `when_missing`.
        """
        found = _CALL.fullmatch(call)
        if found is None or found["way"] == "call/v2" or not isinstance(content, dict):
            return False
        if not _has_form(content):
            return False
        event, data = self._event_of(found, content), content["data"]
        missing = event.inputs[len(data) :] if event else []
        if not missing or not all(map(_may_be_missing, missing)):
            return False
        data += [one.when_missing for one in missing]
        return True

    def is_unknown(self, call: str) -> bool:
        """Whether a path asks for what became of a call that nobody made, or that was told."""
        found, queue = _FOLLOWED.fullmatch(call), self._blocks._queue
        if found is None or found["event"] in queue.event_ids_to_events:
            return False
        sessions = queue.pending_event_ids_session
        return not any(found["event"] in events for events in list(sessions.values()))

    def _event_of(self, call: re.Match[str], content: dict[str, Any]) -> Any:
        number = None if call["way"] == "call" else content.get("fn_index")
        return self._event(number, call["name"])

    def _event(self, number: int | None, name: str | None) -> Any:
        events = self._blocks.fns
        if number is None:
            found = next((one for one in events.values() if one.api_name == name), None)
        else:
            found = events.get(number)
        return found if found and found.fn else None  # some are the page's alone

    @cached_property
    def _public(self) -> dict[str, Any]:
        """The calls that are told of to programs, by name."""
        return self._blocks.get_api_info()["named_endpoints"]

    def _fault_by_name(self, name: str, content: dict[str, Any]) -> Fault | None:
        """Of the second form of calls, whose values have names."""
        known, event = self._public.get(f"/{name}"), self._event(None, name)
        if known is None or event is None:
            return Fault(404, "There is no such call.")
        given = {key: value for key, value in content.items() if key != "oauth_token"}
        try:
            return _first_fault(event, construct_args(known["parameters"], (), given), None)
        except TypeError as error:
            return Fault(422, f"{str(error).partition('. ')[0].rstrip('.')}.")


def _has_form(content: dict[str, Any]) -> bool:
    """Whether it has a list of values, and a number of an event or none."""
    return isinstance(content.get("data"), list) and isinstance(content.get("fn_index"), int | None)


def _first_fault(event: Any, data: list[Any], given: Any) -> Fault | None:
    inputs = [
        one
        for place, one in enumerate(event.inputs)
        if place < len(data) or not _may_be_missing(one)
    ]
    if len(data) < len(inputs):  # as some are that are no part of the public call
        inputs = [one for one in inputs if not one.skip_api]
    if len(data) < len(inputs):
        return Fault(422, f"data: expected {len(inputs)} values, found {len(data)}.")
    for one, value in zip(inputs, data, strict=False):
        if said := _expected(one, value):
            label = getattr(one, "label", None) or "data"
            return Fault(422, f"{label}: expected {said}.")
    kind = _EVENTS.get(event.targets[0][1]) if event.targets else None
    if kind is None or _fits(kind, given):
        return None
    fields = [name for name, field in kind.model_fields.items() if field.is_required()]
    return Fault(422, f"event_data: expected {', '.join(fields)}.")


def _may_be_missing(component: Any) -> bool:
    return hasattr(component, "when_missing")


def _expected(component: Any, value: Any) -> str:
    """The type that a component's value had to be of, "" where it is. Ranges are the handler's."""
    if isinstance(component, gr.CheckboxGroup):
        return "" if _fits(Names, value) else "a list of names"
    if isinstance(component, gr.Checkbox):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(component, gr.Dropdown):
        known = [choice for _, choice in component.choices]
        return "" if isinstance(value, str) and value in known else f"one of {', '.join(known)}"
    if isinstance(component, gr.File):
        many = component.file_count == "multiple"
        if value is None or _fits(list[_File] if many else _File, value):
            return ""
        return f"{'photos that were' if many else 'a photo that was'} uploaded before"
    if isinstance(component, gr.Number):
        if value is None:
            return ""
        if not _fits(Annotated[float, Field(allow_inf_nan=False)], value):
            return "a number"
        return "" if component.precision != 0 or value == int(value) else "a whole number"
    return ""


def _fits(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value, strict=True, context={"validate_meta": True})
    except ValidationError:
        return False
    return True

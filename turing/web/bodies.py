"""What the calls of the protocol take, as JSON."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from turing.web.guards import LONGEST_TEXT

Text = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(max_length=64)]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


def _given(consent: bool) -> bool:
    if not consent:
        raise ValueError
    return consent


Pixels = Annotated[float, Field(ge=0, le=100_000)]


class Device(_Body):
    """What the page can know of what a study is looked at on; sizes in CSS pixels."""

    viewport_width: Pixels | None = None
    viewport_height: Pixels | None = None
    screen_width: Pixels | None = None
    screen_height: Pixels | None = None
    device_pixel_ratio: float | None = Field(None, ge=0, le=1000)
    pointer: Literal["fine", "coarse", "none"] | None = None
    color_gamut: Literal["srgb", "p3", "rec2020"] | None = None
    color_scheme: Literal["light", "dark"] | None = None
    forced_colors: bool | None = None
    visibility: Literal["visible", "hidden"] | None = None
    fullscreen: bool | None = None


class Screen(_Body):
    """Which steps, of grey near black and near white and of saturation, were seen."""

    dark: bool
    light: bool
    saturation: bool


class Absence(_Body):
    hidden_ms: float = Field(0, ge=0, le=1e12)
    fullscreen_left: int = Field(0, ge=0, le=10_000)


def _what(fields: type[_Body]) -> str:
    return "what was measured: " + ", ".join(fields.model_fields)


class StartBody(_Body):
    consent: Annotated[bool, AfterValidator(_given)] = Field(description="true")
    query: dict[str, Any] = Field(  # what the study does not ask for is ignored, whatever it is
        default_factory=dict, description="texts by name"
    )
    answers: dict[Name, Text | None] = Field(
        default_factory=dict, description="texts of 5000 characters at most, by question"
    )
    preview: str | None = Field(None, max_length=100, description="the key of a preview link")
    resume: bool = Field(False, description="true to go on only, where one has started")
    device: Device | None = Field(None, description=_what(Device))
    screen: Screen | None = Field(None, description=_what(Screen))


class View(_Body):
    frames: int | None = Field(None, ge=0, le=10_000_000)
    dropped_frames: int | None = Field(None, ge=0, le=10_000_000)
    refresh_hz: float | None = Field(None, ge=0, le=100_000)
    drawn_width: float | None = Field(None, ge=0, le=100_000)
    drawn_height: float | None = Field(None, ge=0, le=100_000)
    device_pixel_ratio: float | None = Field(None, ge=0, le=1000)
    layout: Literal["beside", "stacked", "single"] | None = None


class AnswerBody(_Body):
    trial: str = Field(max_length=100, description="the trial's ID")
    choice: int = Field(ge=0, le=4, description="0 or 1, of a plate 0 to 4")
    rt_ms: float = Field(ge=0, le=1e12, description="milliseconds, 0 or more")
    shown_ms: float | None = Field(None, ge=0, le=1e12, description="milliseconds, 0 or more")
    focus_lost: int = Field(
        0, ge=0, le=10_000, description="how often the page lost the focus, 10000 at most"
    )
    view: View | None = Field(None, description=_what(View))
    device: Device | None = Field(None, description=_what(Device))
    absence: Absence | None = Field(None, description=_what(Absence))


class FinishBody(_Body):
    answers: dict[Name, Text | None] = Field(
        default_factory=dict, description="texts of 5000 characters at most, by question"
    )


class LeaveBody(_Body):
    pass

"""HTML from the templates: every value is escaped unless it is Markup."""

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render(template: str, **values: Any) -> Markup:
    """A template of turing/templates with the report's style as `css`."""
    return Markup(_environment().get_template(template).render(css=_css(), **values))


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("turing.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _css() -> Markup:
    return Markup((files("turing.report") / "templates" / "report.css").read_text("utf-8"))

"""The ID by which a panel knows a person, as the link to a study has it. Pure functions."""

import html
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote

from turing.study.study import Study

# {ID}, {{%ID%}}, ${ID}, $e{ID}, #{ID}, {ID that was cut off, [ID], [[ID]], [%ID%], <ID>, (ID),
# %ID%, %%ID%%, %ID, $ID$, __ID__, @ID@, #ID#, *|ID|*, "ID" in guillemets, XXXX, and ?.
_PLACEHOLDER = re.compile(
    r"[$#@]?e?\{.*|\}+|\[.*\]|<.*>|\(.*\)|%.+%|%[A-Za-z_]\w*|\$[A-Za-z_][\w.]*\$?|__.+__"
    r"|@[A-Za-z_][\w.]*@|#+[A-Za-z_][\w.]*#+|\*\|.*\|\*|\u00ab.*\u00bb|[xX]{3,}|\?+",
    re.DOTALL,
)
_WITHIN = re.compile(r"\{\{.*\}\}|\$\{", re.DOTALL)  # abc{{ID}}
_NOTHING = {"undefined", "null", "none", "nan", "nil", "n/a", "assignment_id_not_available"}
_QUOTES = " '\"`\\;"
_UNSEEN = ("Cc", "Cf")  # control and format characters, as U+200B and U+FEFF


def outside_id(study: Study, query: Mapping[str, str]) -> str:
    """The ID that `identify_by` names; "" where there is none, or a panel did not fill it in.

    One ID in either normalization of Unicode, with or without characters that nobody sees.
    """
    value = _given(study, query)
    return "" if _is_placeholder(value, study.participants.identify_by) else value


def is_unfilled(study: Study, query: Mapping[str, str]) -> bool:
    """Whether a link has a placeholder where `identify_by` should have an ID."""
    return bool(_given(study, query)) and not outside_id(study, query)


def _given(study: Study, query: Mapping[str, str]) -> str:
    """What a link has there, as it is seen."""
    name = study.participants.identify_by
    value = unicodedata.normalize("NFC", query.get(name, "") if name else "")
    return "".join(one for one in value if unicodedata.category(one) not in _UNSEEN).strip()


def _is_placeholder(value: str, name: str) -> bool:
    for _ in range(3):  # as often as a link may be escaped on its way
        value = html.unescape(unquote(value)).strip(_QUOTES)
    value = unicodedata.normalize("NFKC", value)  # brackets of full width
    words = {word.strip(_QUOTES).casefold() for word in value.split(",")}
    return bool(
        _PLACEHOLDER.fullmatch(value)
        or _WITHIN.search(value)
        or words <= _NOTHING
        or _letters(value) in ("", _letters(name))  # "-", PROLIFIC-PID, :prolific_pid
    )


def _letters(text: str) -> str:
    """A text without punctuation, in small letters."""
    return "".join(one for one in text.casefold() if one.isalnum() or not one.isascii())

"""Commands as a person types them."""

from typer.testing import CliRunner

from tests.turing.support.studies import BEFORE
from turing.cli import app
from turing.store.people import new_token
from turing.store.sessions import Sessions
from turing.store.store import Store


def run(*arguments, code=0, env=None):
    """Standard output and error of a command that ends with `code`."""
    result = CliRunner().invoke(
        app, [str(a) for a in arguments], env={"COLUMNS": "120"} | (env or {})
    )
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


def take_part(store, **query):
    with Store(store) as opened:
        opened.open_study()
        Sessions(opened).start(new_token(), query, BEFORE, None)

"""The command that writes the open data set of a study: publish."""

from pathlib import Path
from typing import Annotated

import typer

from turing.cli.base import LARGEST, StoreFile, command, say
from turing.store.store import Store


@command("publish")
def publish(
    store: StoreFile,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="A new folder.")],
    version: Annotated[
        int | None,
        typer.Option(
            metavar="V",
            min=1,
            max=LARGEST,
            help="A version. [default: the one that new participants see]",
        ),
    ] = None,
    ids: Annotated[
        bool, typer.Option("--ids", help="With the IDs that participants came with.")
    ] = False,
    texts: Annotated[
        bool, typer.Option("--texts", help="With answers in free text, which may name people.")
    ] = False,
) -> None:
    """Write a study as an open data set by the rules of Psych-DS, with scripts that recompute it.

    Participants get random IDs and coarse times, who left is not in it. Once the study is closed,
    the key that sides and order follow from is revealed.

    \b
    python -m turing publish studies/demo.sqlite -o demo-data
    """
    from turing.publish.dataset import publish as write

    with Store(store) as opened:
        done = write(opened, output, version=version, ids=ids, texts=texts, prompt=_prompt(opened))
    key = "with the trial key" if done.key else "without the trial key: the study is not closed"
    say(
        f"{done.folder}: {done.participants} participants, {done.trials} trials, "
        f"{done.stimuli} stimuli, {key}"
    )
    say(f"python {done.folder}/analysis/figures.py recomputes the figures")


def _prompt(store: Store) -> str:
    """What the page asks in every trial."""
    from turing.store.store import facts
    from turing.web.routes import PAGE
    from turing.web.texts import prompt, read_texts

    with store.reading() as db:
        number = facts(db).version
        if number is None:
            return ""
        return prompt(read_texts(PAGE), store.version(db, number).study)

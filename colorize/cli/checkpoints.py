"""The commands about checkpoints: `models`, `import`, `fetch`, `export`, `blend`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from colorize.cli.base import command, wrong_use
from colorize.models.published import FAMILIES
from colorize.models.record import (
    Record,
    check_name,
    checkpoints_folder,
    list_checkpoints,
    published_folder,
    table_of,
)


@command("models")
def models(
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """List the checkpoints.

    Name, what each is, and its scores over all test photos as it ships. MSE and CIEDE2000 are
    better when lower, colorfulness when near that of the true photos.

    \b
    python -m colorize models
    python -m colorize models --json
    """
    from colorize.cli.tables import console, models_table

    records = list_checkpoints()
    if as_json:
        typer.echo(json.dumps([_told(record) for record in records], indent=1))
    elif records:
        console().print(models_table(records))
    else:
        typer.echo(f"There is no checkpoint in {checkpoints_folder()}.")


def _told(record: Record) -> dict[str, Any]:
    """A record, with where its weights are from even where it does not say."""
    return {**table_of(record), "source": record.source}


@command("import")
def import_(
    network: Annotated[
        str, typer.Argument(metavar="NETWORK", help=f"Whose weights: {', '.join(FAMILIES)}.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The published weights.")],
    name: Annotated[
        str, typer.Option("--output", "-o", metavar="NAME", help="The checkpoint's name.")
    ],
    licence: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Their licence. [default: that of their authors]"),
    ] = None,
) -> None:
    """Make a checkpoint of published weights.

    Only tensors are read from the file: no code in it is run. Which model of DDColor or DeOldify
    they are is told by them.

    \b
    python -m colorize import siggraph17 siggraph17-df00044c.pth -o siggraph17
    python -m colorize import deoldify ColorizeArtistic_gen.pth -o deoldify --licence MIT
    """
    with wrong_use():
        check_name(name)
    from colorize.models.importing import import_weights

    folder = published_folder()
    _say_ready(import_weights(network, file, name, folder, licence=licence), folder)


@command("fetch")
def fetch(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Which. [default: say what there is]")
    ] = None,
    revision: Annotated[
        str | None, typer.Option(metavar="R", help="A commit, branch or tag. [default: the newest]")
    ] = None,
) -> None:
    """Fetch published weights from the Hugging Face hub.

    Without a name, say what there is, how large it is and under whose licence. Those of Zhang et
    al. and DeOldify are published elsewhere: `import` takes them.

    \b
    python -m colorize fetch
    python -m colorize fetch ddcolor-tiny
    """
    from colorize.models.fetching import check_fetchable

    if name is None:
        from colorize.cli.tables import console, fetchable_table

        console().print(fetchable_table({record.name for record in list_checkpoints()}))
        return
    with wrong_use():
        check_fetchable(name)
    from colorize.models.fetching import fetch

    folder = published_folder()
    _say_ready(fetch(name, folder, revision=revision), folder)


@command("export")
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run of `train`.")],
    name: Annotated[
        str, typer.Option("--output", "-o", metavar="NAME", help="The checkpoint's name.")
    ],
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Its name for people.")] = None,
    summary: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is, in one line.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Notes on its licence.")
    ] = None,
    default: Annotated[
        bool, typer.Option("--default", help="Make it the model that is used if none is named.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a checkpoint of that name.")
    ] = False,
) -> None:
    """Make a checkpoint of a training run's best weights.

    \b
    python -m colorize export runs/1 -o mine --title "Mine" --default
    """
    with wrong_use():
        check_name(name)
    from colorize.models.exporting import export_run

    texts: dict[str, Any] = {"title": title, "summary": summary, "licence": licence}
    folder = checkpoints_folder()
    record = export_run(run, name, folder, default=default, overwrite=overwrite, **texts)
    _say_ready(record, folder)


@command("blend")
def blend(
    first: Annotated[str, typer.Argument(metavar="FIRST", help="A name or a path.")],
    second: Annotated[
        str, typer.Argument(metavar="SECOND", help="Another, trained on from the first.")
    ],
    name: Annotated[
        str, typer.Option("--output", "-o", metavar="NAME", help="The checkpoint's name.")
    ],
    share: Annotated[
        float, typer.Option(metavar="S", min=0, max=1, help="Of the second: 0 is the first.")
    ] = 0.5,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Its name for people.")] = None,
    summary: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is, in one line.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a checkpoint of that name.")
    ] = False,
) -> None:
    """Mix two checkpoints of one network by their weights.

    Between a network and the same one after an adversarial finish lie many,
    each a little more colourful and less safe than the one before.

    \b
    python -m colorize blend unet runs/1/best.json --share 0.3 -o vivid
    """
    with wrong_use():
        check_name(name)
    from colorize.models.blending import blend

    folder = checkpoints_folder()
    texts: dict[str, Any] = {"title": title, "summary": summary}
    _say_ready(blend(first, second, share, name, folder, overwrite=overwrite, **texts), folder)


def _say_ready(record: Record, folder: Path) -> None:
    typer.echo(f"{folder / record.name}.json: {record.title} can be used now.")

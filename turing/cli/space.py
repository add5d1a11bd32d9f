"""Commands for Hugging Face Spaces: deploy, fetch."""

from pathlib import Path
from typing import Annotated

import typer

from turing.cli.base import StoreFolder, command, say, warn
from turing.cli.study import study_link
from turing.errors import TuringError, WrongUseError
from turing.store.store import DEFAULT_FOLDER, Store
from turing.study.counts import count


@command("deploy")
def deploy(
    space: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The Space.")],
    study: Annotated[
        Path | None,
        typer.Option(
            metavar="STORE",
            help="A study's store, built and open: studies/NAME.sqlite. [default: the demo]",
        ),
    ] = None,
    backup: Annotated[
        str,
        typer.Option(
            metavar="PLACE", help="Where answers are kept: hf://datasets/OWNER/NAME, private."
        ),
    ] = "",
    hardware: Annotated[
        str, typer.Option(metavar="NAME", help="zero-a10g (ZeroGPU), cpu-basic, cpu-upgrade ...")
    ] = "zero-a10g",
    fetch: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Published weights that the Space fetches when it starts, by commas: what "
            "python -m colorize fetch lists.",
        ),
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would go where.")
    ] = False,
) -> None:
    """Put the app, its models and a study on a Hugging Face Space. `hf auth login` comes first.

    \b
    python -m turing deploy me/colorize --dry-run
    python -m turing deploy me/colorize --fetch ddcolor-tiny
    python -m turing deploy me/colorize --study studies/demo.sqlite --backup hf://datasets/me/answers
    """
    from turing.backup import deploying

    root = Path(__file__).resolve().parents[2]
    planned = deploying.plan(root, space, hardware, study, backup, fetch)
    size = sum(path.stat().st_size for path in planned.files.values())
    if dry_run:
        for name, path in planned.files.items():
            say(f"  {path.stat().st_size:>10,}  {name}")
        for key, value in planned.variables.items():
            say(f"  {key}={value}")
        if study:
            say(f"  {study} and its pictures to {backup}")
    count = f"{len(planned.files)} files, {size / 1e6:.1f} MB"
    if dry_run:
        say(f"{space} on {hardware}: {count}; nothing was sent")
        return
    from huggingface_hub import HfApi

    deploying.deploy(planned, HfApi())
    say(f"{space} on {hardware}: {count} sent; it starts at {planned.address} in a few minutes")
    if study:
        say(f"Participants go to {study_link(study.stem, planned.address)}")
    secrets = ["TURING_ADMIN_PASSWORD", *(["HF_TOKEN"] if backup else [])]
    say(f"If not done yet: hf spaces secrets add {space} {' '.join(f'-s {s}' for s in secrets)}")


@command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name.")],
    place: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="PLACE",
            envvar="TURING_BACKUP",
            help="A folder, or hf://datasets/OWNER/NAME.",
        ),
    ],
    store: StoreFolder = DEFAULT_FOLDER,
) -> None:
    """Bring a study's newest snapshot here, checked, and what other runs of its app wrote.

    A store that is here is kept under another name.

    \b
    python -m turing fetch demo --from hf://datasets/me/answers --store studies
    """
    from turing.backup.overlap import take_over
    from turing.backup.remote import RemoteError, open_remote
    from turing.backup.snapshots import restore_newest
    from turing.web.serving import is_name

    if not is_name(name):
        raise WrongUseError(f"{name}: expected a study's name, letters, digits and '-'")
    remote = open_remote(place)
    restored = restore_newest(remote, store, name)
    if restored is None:
        raise TuringError(f"{place}: there are no snapshots of {name}")
    for line in restored.damaged:
        warn(line)
    kept = restored.kept
    say(
        f"{kept.path}: the snapshot of {restored.snapshot.taken:%Y-%m-%d %H:%M:%S} UTC, checked, "
        f"{count(kept.rows['participants'], 'participant')}, "
        f"{count(kept.rows['choices'], 'choice')}"
    )
    if kept.kept_before:
        say(f"What was there before is kept as {kept.kept_before}")
    try:
        with Store(kept.path) as fetched:
            for one in take_over(remote, fetched):
                say(f"Joined: {one}")
                for line in one.notes:
                    warn(line)
    except RemoteError as error:
        raise TuringError(
            f"{place}: what other runs of the app wrote could not be read ({error}); run this again"
        ) from error

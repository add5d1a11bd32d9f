"""What is different on a Hugging Face Space."""

import tempfile
from collections.abc import Mapping
from pathlib import Path


def on_space(environment: Mapping[str, str]) -> bool:
    return bool(environment.get("SPACE_ID")) or environment.get("SYSTEM") == "spaces"


def scratch_folder() -> Path:
    """Where a Space lets programs write; like all of its disk it is empty after a restart."""
    return Path(tempfile.gettempdir())

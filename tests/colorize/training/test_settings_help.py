import dataclasses

from colorize.training.settings import Settings, make_settings
from colorize.training.settings_help import describe_settings


def test_every_setting_is_there_with_its_meaning():
    lines = describe_settings().splitlines()
    keys = [field.name for field in dataclasses.fields(Settings) if field.name != "network"]
    assert [line.partition("=")[0] for line in lines] == keys
    for line in lines:
        pair, _, meaning = line.partition("  ")
        assert meaning.strip(), line
        if not pair.endswith("="):  # what it says is the default is one
            key, _, value = pair.strip().partition("=")
            assert str(getattr(make_settings("baseline", [f"{key}={value}"]), key)).startswith(
                value
            )

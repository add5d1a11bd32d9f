import logging

import pytest
import torch

from colorize.inference import zerogpu
from colorize.inference.colorizer import choose_device
from colorize.models.record import list_checkpoints
from colorize.web.workshop import Look, Upload, Workshop


class FakeSpaces:
    """`spaces` as far as it is used, with a GPU that is the CPU."""

    def __init__(self, error=None):
        self.calls, self.error = [], error

    def GPU(self, duration):  # noqa: N802
        def decorate(function):
            def decorated(*inputs):
                self.calls.append((inputs[0], duration(*inputs), inputs[1].shape))
                assert all(x.device.type == "cpu" for x in inputs[1:])
                if self.error:
                    raise self.error
                return function(*inputs)

            return decorated

        return decorate


@pytest.fixture
def on_zerogpu(monkeypatch):
    """Moves to "cuda" stay where they are, as `spaces` makes them before there is a GPU."""
    moved = []

    def keep(to):
        def moving(self, *given, **options):
            if given == ("cuda",):
                moved.append(type(self).__name__)
                return self
            return to(self, *given, **options)

        return moving

    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.nn.Module, "to", keep(torch.nn.Module.to))
    monkeypatch.setattr(torch.Tensor, "to", keep(torch.Tensor.to))
    return moved


@pytest.fixture
def workshop(checkpoints, tmp_path, on_zerogpu):
    (tmp_path / "files").mkdir()
    return Workshop(tmp_path / "files", list_checkpoints())


@pytest.fixture
def upload(shipped_photos, tmp_path):
    from PIL import Image

    Image.fromarray(shipped_photos["coffee.png"]).save(tmp_path / "coffee.png")
    return Upload("me", tmp_path / "coffee.png")


def assert_as_on_the_cpu(workshop, upload, model):
    found = workshop.predict(upload, Look(model))
    plain = Workshop(workshop.folder, list_checkpoints()).predict(upload, Look(model))
    torch.testing.assert_close(found.output, plain.output, atol=0.05, rtol=0.01)


def test_every_network_is_moved_at_the_start_and_runs_there(workshop, upload, on_zerogpu):
    spaces = FakeSpaces()
    workshop.use_zerogpu(spaces)
    assert len([name for name in on_zerogpu if name != "Tensor"]) == len(workshop.records)
    for model in workshop.records:
        assert_as_on_the_cpu(workshop, upload, model)
    assert [call[0] for call in spaces.calls] == list(workshop.records)


def test_the_time_that_is_asked_for_follows_from_the_photo(workshop, upload):
    spaces = FakeSpaces()
    workshop.use_zerogpu(spaces)
    for size in (96, 384):
        workshop.predict(upload, Look("direct", size))
    for _, seconds, shape in spaces.calls:
        assert seconds == zerogpu.gpu_seconds("direct", torch.zeros(shape))
    sides = (96, 256, 512, 768, 1024)
    estimates = [zerogpu.gpu_seconds("", torch.zeros(1, 1, side, side)) for side in sides]
    assert estimates == [6, 6, 6, 8, 9]
    assert zerogpu.gpu_seconds("", torch.zeros(4, 1, 1024, 1024)) == 21


@pytest.mark.parametrize("error", [RuntimeError("You have exceeded your GPU quota"), ValueError()])
def test_without_a_gpu_the_cpu_does_it(workshop, upload, error, caplog):
    caplog.set_level(logging.WARNING)
    workshop.use_zerogpu(FakeSpaces(error))
    assert_as_on_the_cpu(workshop, upload, "bins")
    assert f"bins runs on the CPU: {error}" in caplog.text


def test_nothing_else_uses_the_gpu(on_zerogpu, monkeypatch):
    assert choose_device("auto").type == "cpu"
    monkeypatch.setenv("SPACES_ZERO_GPU", "")
    assert choose_device("auto").type == "cuda"


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("", False), ("false", False)]
)
def test_zerogpu_is_known_by_its_variable(value, expected):
    assert zerogpu.on_zerogpu({"SPACES_ZERO_GPU": value}) is expected
    assert zerogpu.on_zerogpu({}) is False

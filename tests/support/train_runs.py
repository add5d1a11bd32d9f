"""Short trainings, and what they leave."""

import torch

from colorize.training import train as training
from colorize.training.settings import make_settings
from colorize.training.train import Budget, train

QUICK = ["crop=32", "batch=4", "precision=no"]
INTERRUPTS = {"baseline": (0, 2, 3, 7, 11), "fusion": (5,), "classifier": (5,), "unet": (5,)}
UNET = ["backbone=test_efficientnet", "backbone_file=w.safetensors", "hints=0.5", "degrade=0.5"]
ADVERSARIAL = ["adversarial=0.1", "every=1"]
FUSION = ["backbone=test_resnet", "backbone_size=32", "backbone_file=w.safetensors"]


def settings_of(network, *changes):
    extra = {"fusion": FUSION, "unet": UNET}.get(network, [])
    return make_settings(network, [*QUICK, *extra, *changes])


def run(folder, datasets, settings, budget=None, resume=False, stopped=lambda: False):
    budget = budget or Budget(epochs=3)
    return train(settings, datasets, folder, budget, resume=resume, stopped=stopped)


def state_of(folder):
    return torch.load(folder / "last.pt", weights_only=True)


def assert_same(first, second, where="state"):
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), where
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), where
        for key in first:
            assert_same(first[key], second[key], f"{where}.{key}")
    elif isinstance(first, list | tuple):
        assert len(first) == len(second), where
        for number, pair in enumerate(zip(first, second, strict=True)):
            assert_same(*pair, f"{where}[{number}]")
    else:
        assert first == second, where


def after_step(monkeypatch, wanted, action):
    """Calls `action` in the middle of step number `wanted`."""
    step = training._Trainer._train_step

    def watched(self, rgb):
        if self.step == wanted:
            action()
        return step(self, rgb)

    monkeypatch.setattr(training._Trainer, "_train_step", watched)

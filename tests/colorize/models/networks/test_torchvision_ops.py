"""In processes of their own: what counts is what happens before the first import."""

import subprocess
import sys

import pytest
import torch

from colorize.models.networks import torchvision_ops


def run(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("package", ["torchvision.transforms.v2", "timm", "lpips"])
def test_torchvision_and_what_needs_it_import(package):
    code = f"""
from colorize.models.networks.torchvision_ops import ensure_torchvision
ensure_torchvision()
import {package}
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_operators_are_declared_only_where_torchvision_has_none():
    code = """
import torch
from colorize.models.networks.torchvision_ops import _loads, ensure_torchvision
declared = ensure_torchvision() is not None
print(declared == (not torch.version.cuda and not torch.version.hip and not _loads()))
import torchvision
print(hasattr(torch.ops.torchvision, "nms"))
"""
    assert run(code).stdout.split() == ["True", "True"]


@pytest.mark.slow
def test_calling_again_or_late_does_nothing():
    code = """
from colorize.models.networks.torchvision_ops import ensure_torchvision
first = ensure_torchvision()
assert ensure_torchvision() is first
import torchvision
ensure_torchvision.cache_clear()
assert ensure_torchvision() is None
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", ["cuda", "hip"])
def test_nothing_is_declared_beside_a_torch_with_a_gpu(monkeypatch, version):
    monkeypatch.setattr(torch.version, version, "12.8", raising=False)
    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    assert torchvision_ops.ensure_torchvision.__wrapped__() is None


def test_a_missing_torchvision_is_left_to_its_import_error(monkeypatch):
    monkeypatch.setattr(torchvision_ops.importlib.util, "find_spec", lambda name: None)
    assert torchvision_ops._loads()


def test_a_library_that_does_not_load_is_seen(monkeypatch, tmp_path):
    (tmp_path / "_C.so").write_bytes(b"no library")

    class Found:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(torchvision_ops.importlib.util, "find_spec", lambda name: Found)
    assert not torchvision_ops._loads()

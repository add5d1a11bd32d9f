import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
import torch
from colorize.training.allocator import keep_freed_memory

torch.set_num_threads(1)
if sys.argv[1] == "keep":
    print(keep_freed_memory())
for _ in range(30):
    torch.ones(16, 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(30):
    torch.ones(16, 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def run(how):
    command = [sys.executable, "-c", _SCRIPT, how]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.split()


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_freed_memory_is_taken_again_with_few_page_faults():
    (faults,) = run("plain")
    kept, kept_faults = run("keep")
    if kept == "False":
        pytest.skip("no glibc here")
    assert int(kept_faults) < int(faults) / 3

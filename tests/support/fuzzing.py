"""A process that opens damaged files: `python -m tests.support.fuzzing SEED COUNT SECONDS BYTES`.

Prints a line of JSON at the end: files, those that opened, the longest time on the processor and
the most memory. It ends with an error for what is neither a photo nor a PhotoError, after SECONDS
on the processor for one file, and where BYTES of address space are not enough.
"""

import json
import random
import resource
import signal
import sys
import time

from benchmarks.speed.footprint import memory
from colorize.photo.opening import Photo, PhotoError
from tests.colorize.photo.test_opening_damaged import SEEDS, mutated, with_sums


def main(seed: int, count: int, seconds: float, most_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    chance, names = random.Random(f"fuzz {seed}"), list(SEEDS)
    opened, longest, slowest = 0, 0.0, ""
    for number in range(count):
        name = names[number % len(names)]
        data = mutated(SEEDS[name], chance)
        if name.startswith("png") and chance.random() < 0.75:
            data = with_sums(data)
        print(f"{name} {number}", file=sys.stderr, flush=True)  # the last one is the culprit
        # A decoder that hangs does not come back to Python: the default action ends the process.
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        began = time.process_time()
        try:
            photo = Photo.open(data)
            opened += photo.pixels.size > 0
        except PhotoError:
            pass
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        if (took := time.process_time() - began) > longest:
            longest, slowest = took, f"{name} {number}"
    most = memory("VmHWM")  # ru_maxrss would begin with what the program had that started this one
    if most is None:  # a system without /proc
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    found = {"files": count, "opened": opened, "seconds": longest, "slowest": slowest}
    print(json.dumps(found | {"bytes": most * 1_024_000}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))

"""A server that is killed again and again while people answer."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.turing.support.servers import Server


def kill_while_people_answer(
    server: Server,
    visit: Callable[[random.Random], None],
    said: Callable[[], int],
    rounds: int,
    more: int,
    look: Callable[[], object],
) -> None:
    """Kills and starts a server `rounds` times, each once `more` than before was `said`.

    Four people at a time `visit`, one after another, each to the end. `look` is at what is left,
    every other time: else the next server is the first to open it.
    """
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    over = threading.Event()

    def come(seed: int) -> None:
        mind = random.Random(seed)
        while not over.is_set():
            visit(mind)

    with ThreadPoolExecutor(4) as pool:
        visitors = [pool.submit(come, seed + number) for number in range(4)]
        try:
            for number in range(rounds):
                before = said()
                while said() < before + more:
                    assert not any(visitor.done() for visitor in visitors)
                    time.sleep(0.005)
                time.sleep(chance.random() * 0.3)
                server.kill()
                if number % 2:
                    look()
                server.start()
        finally:
            over.set()
        for visitor in visitors:
            visitor.result(timeout=120)

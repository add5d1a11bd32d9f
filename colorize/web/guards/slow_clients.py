"""How long a connection may take to say what it wants: uvicorn itself waits for ever.

Without an end to it, a few hundred connections that send half a request each would use up what
the system lets one program open.
"""

import asyncio
from typing import Any

PATIENCE = 30.0  # seconds


def impatient(protocol: type[Any], seconds: float = PATIENCE) -> type[Any]:
    """uvicorn's protocol, which closes connections whose request line and headers take longer."""

    class Impatient(protocol):
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:
                self._wait_no_more()
            elif self._waiting is None and self._is_between_requests():
                self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait_no_more()
            super().connection_lost(exc)

        def _is_between_requests(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _wait(self) -> None:
            self._waiting = self.loop.call_later(seconds, self._lose_patience)

        def _wait_no_more(self) -> None:
            if self._waiting:
                self._waiting.cancel()
                self._waiting = None

        def _lose_patience(self) -> None:
            self._waiting = None
            is_ours = self.transport.get_protocol() is self  # and no websocket by now
            if is_ours and self._is_between_requests():
                self.transport.close()

    return Impatient

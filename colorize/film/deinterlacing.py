"""Pictures of two half-pictures to pictures: for films that were made for television sets."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any


class Deinterlacer:
    """Fills the missing lines of pictures that are marked as interlaced; others pass.

    FFmpeg's `bwdif`, one picture for each. `is_used` says whether there was one.
    """

    def __init__(self, time_base: Fraction) -> None:
        self._time_base, self.is_used = time_base, False

    def progressive(self, pictures: Iterable[Any]) -> Iterator[Any]:
        """The pictures of one film, in order, with their times."""
        graph, shape = None, None
        for picture in pictures:
            if not self.is_used and not picture.interlaced_frame:
                yield picture
                continue
            self.is_used = True
            here = picture.width, picture.height, picture.format.name
            if here != shape:
                if graph is not None:
                    yield from self._last(graph)
                graph, shape = self._graph(picture), here
            graph.vpush(picture)
            yield from self._ready(graph)
        if graph is not None:
            yield from self._last(graph)

    def _graph(self, picture: Any) -> Any:
        from av.filter import Graph

        graph = Graph()
        nodes = (
            graph.add_buffer(
                width=picture.width,
                height=picture.height,
                format=picture.format,
                time_base=self._time_base,
            ),
            graph.add("bwdif", "mode=send_frame:deint=interlaced"),
            graph.add("buffersink"),
        )
        graph.link_nodes(*nodes).configure()
        return graph

    def _last(self, graph: Any) -> Iterator[Any]:
        graph.vpush(None)
        yield from self._ready(graph)

    def _ready(self, graph: Any) -> Iterator[Any]:
        import av

        while True:
            try:
                picture = graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            ticks = picture.time_base / self._time_base  # the filter counts in halves
            picture.pts = round(picture.pts * ticks)
            picture.duration = round((picture.duration or 0) * ticks)
            picture.time_base = self._time_base
            yield picture

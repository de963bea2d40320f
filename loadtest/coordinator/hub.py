"""The workers' end of the line: who is there, what they tell each second, what they told last."""

import asyncio
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from loadtest.messages import (
    MAX_LINE_BYTES,
    Begin,
    Done,
    Failed,
    Hello,
    Plan,
    Ready,
    Tick,
)
from nlpserve.latency import COARSE, Histogram
from nlpserve.load_tests import Second

Message = Annotated[Hello | Ready | Tick | Done | Failed, Field(discriminator="says")]
MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(Message)
HELLO_SECONDS: Final = 30.0


class Hub:
    """All workers of one run."""

    def __init__(self, plan: Plan) -> None:
        """`plan` is each worker's but for its index."""
        self._plan = plan
        self._number = plan.number
        self._writers: dict[int, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._began = False
        self.ready: set[int] = set()
        self.done: dict[int, Done] = {}
        self.lost: dict[int, str] = {}
        self.pods: dict[int, str] = {}
        self.changed = asyncio.Event()
        self._ticks: dict[int, dict[int, Second]] = {}

    async def listen(self, host: str, port: int) -> int:
        """Take workers; the port. Raises OSError."""
        self._server = await asyncio.start_server(self._connected, host, port, limit=MAX_LINE_BYTES)
        return int(self._server.sockets[0].getsockname()[1])

    def begin(self) -> None:
        """The load begins now, everywhere."""
        self._began = True
        for writer in self._writers.values():
            writer.write(Begin().model_dump_json().encode() + b"\n")

    async def close(self) -> None:
        """Hang up; workers that are not done end by it."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers.values():
            writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        index: int | None = None
        try:
            line = await asyncio.wait_for(reader.readline(), HELLO_SECONDS)
            hello = Hello.model_validate_json(line)
            if hello.index >= self._number or hello.index in self._writers:
                return
            index = hello.index
            self._writers[index] = writer
            self.pods[index] = hello.pod
            plan = self._plan.model_copy(update={"index": index})
            writer.write(plan.model_dump_json().encode() + b"\n")
            while line := await reader.readline():
                self._take(index, MESSAGE.validate_json(line))
        except (ValidationError, ValueError) as error:
            if index is not None:
                self.lost[index] = f"said something that cannot be read: {error}"
        except (OSError, TimeoutError):
            pass
        finally:
            writer.close()
            if index is not None and index not in self.done:
                self.lost.setdefault(index, "its connection ended before it was done")
            self.changed.set()

    def _take(self, index: int, message: Message) -> None:
        if isinstance(message, Tick):
            self._ticks.setdefault(message.second.second, {})[index] = message.second
        elif isinstance(message, Ready):
            self.ready.add(index)
        elif isinstance(message, Done):
            self.done[index] = message
        elif isinstance(message, Failed):
            self.lost[index] = message.text
        self.changed.set()

    @property
    def over(self) -> bool:
        """All are done, or one is lost."""
        return bool(self.lost) or len(self.done) == self._number

    def second(self, number: int) -> Second | None:
        """A second of all workers together; None before all have told it, or if one never did."""
        told = self._ticks.get(number, {})
        return (
            merged([told[index] for index in sorted(told)]) if len(told) == self._number else None
        )

    def timeline(self) -> list[Second]:
        """All seconds, in order, those that not every worker told included."""
        rows = []
        for _, told in sorted(self._ticks.items()):
            rows.append(merged([told[index] for index in sorted(told)]))
        return rows


def merged(parts: list[Second]) -> Second:
    """One second of several workers, in their order."""
    latency = Histogram(bits=COARSE)
    for part in parts:
        latency += part.latency
    return Second(
        second=parts[0].second,
        intended=round(sum(part.intended for part in parts), 6),
        users=sum(part.users for part in parts),
        in_flight=sum(part.in_flight for part in parts),
        sent=sum(part.sent for part in parts),
        answered=sum(part.answered for part in parts),
        failures=sum(part.failures for part in parts),
        sockets=[socket for part in parts for socket in part.sockets],
        latency=latency,
    )

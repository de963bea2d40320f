"""A loopback server that answers as a model does, or does what a test wants a server to do."""

import asyncio
import json
import socket
import struct
from contextlib import asynccontextmanager

import pytest

FACTS = {"name": "intent", "version": "1.2.3", "language": "fr"}


def scores(text):
    """Other scores for every text, always the same ones."""
    share = (sum(text.encode()) % 97) / 97
    return {"a": round(share, 6), "b": round(1 - share, 6)}


def prediction(text, model="intent"):
    found = scores(text)
    label = max(found, key=found.get)
    return {"model": model, "version": "1", "predictions": [{"label": label, "scores": found}]}


def answer(content, status="200 OK", *, close=False):
    body = json.dumps(content).encode()
    extra = "Connection: close\r\n" if close else ""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def plain(text):
    body = text.encode()
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Server:
    """Answers rightly until `misbehave` is set: (server, text, writer) → bytes, or None."""

    def __init__(self):
        self.served = 0
        self.connections = 0
        self.misbehave = None
        self.pages = {}
        """Path → text, for a GET."""
        self._tasks = set()

    @staticmethod
    def right(text):
        return answer(prediction(text))

    @staticmethod
    def plain(content, status):
        return answer(content, status)

    async def ended(self):
        """Wait until no connection is open any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # a transport closes its socket a turn later

    async def connected(self, reader, writer):
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next(
                    (int(line.split(":")[1]) for line in head.splitlines() if "ength:" in line), 0
                )
                body = await reader.readexactly(length)
                if head.startswith("GET"):
                    page = self.pages.get(head.split()[1])
                    writer.write(answer(FACTS) if page is None else plain(page))
                    continue
                self.served += 1
                (text,) = json.loads(body)["texts"]
                reply = answer(prediction(text))
                if self.misbehave is not None:
                    reply = await self.misbehave(self, text, writer)
                if reply is None:
                    return
                writer.write(reply)
                await writer.drain()
                if b"Connection: close" in reply:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self._tasks.discard(asyncio.current_task())


def reset(writer):
    """End the connection with RST in place of FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def running():
    server = Server()
    listener = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    server.listener = listener
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        await server.ended()


@pytest.fixture
async def server():
    async with running() as found:
        yield found


@pytest.fixture(name="running")
def running_fixture():
    """For a second one."""
    return running

"""`python -m loadtest.generator`: what the Job's container runs.

The spec comes in LOADTEST_SPEC. A line of progress goes to standard output each second; the result
goes to the container's termination message, which outlives the log and needs no kubelet to be read.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson
import uvloop

from loadtest.generator.load import Load, TargetError
from loadtest.protocol import MAX_MESSAGE_BYTES, MESSAGE_FILE, PROGRESS, SPEC_VARIABLE
from loadtest.spec import LoadSpec
from nlpserve.load_results import LoadFacts

PERIOD_SECONDS: Final = 1.0


def main() -> int:
    """0 when all requests were made, whatever became of them."""
    spec = LoadSpec.model_validate_json(os.environ[SPEC_VARIABLE])
    try:
        facts = uvloop.run(generate(spec))
    except (TargetError, OSError) as error:
        deliver(f"{type(error).__name__}: {error}".encode())
        return 1
    deliver(message(facts))
    return 0


async def generate(spec: LoadSpec) -> LoadFacts:
    """The load with its progress. Raises TargetError, and OSError of this machine's own."""
    parts = urlsplit(spec.url)
    port = parts.port or 80
    found = await asyncio.get_running_loop().getaddrinfo(
        parts.hostname, port, type=socket.SOCK_STREAM
    )
    load = Load(spec, str(found[0][4][0]), port)
    await load.learn()
    talk = asyncio.create_task(_talk(load))
    try:
        return await load.run()
    finally:
        talk.cancel()


async def _talk(load: Load) -> None:
    while True:
        await asyncio.sleep(PERIOD_SECONDS)
        print(PROGRESS + orjson.dumps(load.progress()).decode(), flush=True)


def message(facts: LoadFacts) -> bytes:
    """The facts as JSON, with as many examples as Kubernetes has room for."""
    losses = list(facts.losses)
    while True:
        text = facts.model_copy(update={"losses": losses}).model_dump_json().encode()
        if len(text) <= MAX_MESSAGE_BYTES or not losses:
            return text
        losses.pop()


def deliver(content: bytes) -> None:
    """To the log as well, for who reads along."""
    sys.stdout.buffer.write(content + b"\n")
    sys.stdout.flush()
    Path(MESSAGE_FILE).write_bytes(content[:MAX_MESSAGE_BYTES])


if __name__ == "__main__":
    sys.exit(main())

"""`python -m loadtest.coordinator`: what the coordinator's container runs.

LOADTEST_RUN says what to do. A line of progress goes to the log each second, and at the end the
result, compressed and in pieces; the verdict alone goes to the termination message.
"""

import asyncio
import os
import sys
from pathlib import Path

import orjson

from loadtest import delivery
from loadtest.cluster import Cluster
from loadtest.coordinator.conduct import Conductor
from loadtest.messages import Run
from loadtest.protocol import MAX_MESSAGE_BYTES, MESSAGE_FILE, PROGRESS, RUN_VARIABLE


def tell(what: dict[str, object]) -> None:
    """One line of progress."""
    print(PROGRESS + orjson.dumps(what).decode(), flush=True)


def main() -> int:
    """0 when there is a verdict, whichever."""
    run = Run.model_validate_json(os.environ[RUN_VARIABLE])
    conductor = Conductor(Cluster(), run, os.environ["POD_ADDRESS"], tell)
    result = asyncio.run(conductor.conduct())
    for line in delivery.lines(result):
        print(line)
    sys.stdout.flush()
    words = "\n".join([str(result.verdict), *(reason.text for reason in result.reasons)])
    Path(MESSAGE_FILE).write_bytes(words.encode()[:MAX_MESSAGE_BYTES])
    return 0


if __name__ == "__main__":
    sys.exit(main())

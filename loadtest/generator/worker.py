"""`python -m loadtest.generator.worker`: one pod of a load test.

LOADTEST_COORDINATOR is the coordinator's address and port. When the line to it breaks, the worker
ends: what it counts would reach nobody.
"""

import asyncio
import os
import socket
import sys
import time
from pathlib import Path
from typing import Final

import uvloop
from pydantic import BaseModel

from loadtest.generator import exposition
from loadtest.generator.open_model import OpenModel
from loadtest.generator.tally import Tally
from loadtest.generator.watch import LAG_PERIOD, Watch
from loadtest.messages import Begin, Done, Hello, Plan, Ready, Tick
from loadtest.protocol import (
    COORDINATOR_VARIABLE,
    INDEX_VARIABLE,
    MESSAGE_FILE,
    METRICS_VARIABLE,
)
from nlpserve.load_scenarios import ClosedLoad, OpenLoad

CONNECT_SECONDS: Final = 60.0
WAIT_SECONDS: Final = 900.0
"""Longest time for the others to come; the Job's own deadline is shorter or longer."""
AGAIN_SECONDS: Final = 0.5
SCRAPE_SECONDS: Final = 5.0


class ChannelLost(Exception):
    """The coordinator went away."""


def line(message: BaseModel) -> bytes:
    """One line."""
    return message.model_dump_json().encode() + b"\n"


def connect(address: str, deadline: float) -> socket.socket:
    """To the coordinator. Raises OSError when it does not answer in time."""
    host, port = address.rsplit(":", 1)
    while True:
        try:
            return socket.create_connection((host, int(port)), timeout=WAIT_SECONDS)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_SECONDS)


def introduce(channel: socket.socket, index: int, pod: str) -> Plan:
    """Say who is there and get the plan. Raises ChannelLost."""
    channel.sendall(line(Hello(index=index, pod=pod)))
    with channel.makefile("rb") as lines:
        text = lines.readline()
    if not text:
        raise ChannelLost("the coordinator gave no plan")
    return Plan.model_validate_json(text)


def metrics_port() -> int | None:
    """None: nobody reads them."""
    port = os.environ.get(METRICS_VARIABLE)
    return int(port) if port else None


def exposed(plan: Plan, tally: Tally, watch: Watch) -> bytes:
    """The worker's metrics by now, as an HTTP answer."""
    whole = tally.rise + tally.hold
    sample = exposition.Sample(tally.last, whole, watch.last_cpu, watch.last_lag)
    return exposition.answer(exposition.render(plan, sample))


def done(plan: Plan, pod: str, tally: Tally, watch: Watch, connections: dict[str, int]) -> Done:
    """The worker's last word."""
    counts = tally.rise.counts + tally.hold.counts
    return Done(
        rise=tally.rise,
        hold=tally.hold,
        drain=round(max(0.0, tally.last_end - plan.scenario.load.end), 3),
        losses=tally.losses,
        facts=watch.facts(index=plan.index, pod=pod, counts=counts, connections=connections),
    )


async def open_worker(channel: socket.socket, plan: Plan, pod: str) -> None:
    """The open model. Raises ChannelLost, and OSError of this machine's own."""
    load = plan.scenario.load
    if not isinstance(load, OpenLoad):
        raise TypeError("not of the open model")
    channel.settimeout(0)
    reader, writer = await asyncio.open_connection(sock=channel)
    port = metrics_port()
    tally = Tally(load, 1 / plan.number)
    watch = Watch(plan.scenario.workers.cpu, listeners=int(port is not None))
    listener = None if port is None else await _expose(port, plan, tally, watch)
    model = OpenModel(plan, load, tally)
    writer.write(line(Ready()))
    text = await asyncio.wait_for(reader.readline(), WAIT_SECONDS)
    if not text:
        raise ChannelLost("the coordinator went before the load began")
    Begin.model_validate_json(text)
    watch.begin()
    tally.begin()
    run = asyncio.create_task(model.run())
    gone = asyncio.create_task(reader.read())
    tick = asyncio.create_task(_tick(writer, tally, watch, plan))
    lag = asyncio.create_task(_lag(watch, tally))
    try:
        await asyncio.wait((run, gone, tick), return_when=asyncio.FIRST_COMPLETED)
        if not run.done():
            raise ChannelLost("the coordinator went while the load ran")
        await run
        await asyncio.sleep(1 - tally.now() % 1 + AGAIN_SECONDS)  # the last second is told, too
    finally:
        for task in (run, gone, tick, lag):
            task.cancel()
        if listener is not None:
            listener.close()
    writer.write(line(done(plan, pod, tally, watch, model.connections)))
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def _expose(port: int, plan: Plan, tally: Tally, watch: Watch) -> asyncio.Server:
    async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SCRAPE_SECONDS)
            writer.write(exposed(plan, tally, watch))
            await writer.drain()
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError):
            pass  # it is asked again soon
        finally:
            writer.close()

    return await asyncio.start_server(asked, port=port)


async def _tick(writer: asyncio.StreamWriter, tally: Tally, watch: Watch, plan: Plan) -> None:
    load = plan.scenario.load
    number = 0
    while True:
        while (rest := number + 1 - tally.now()) > 0:  # noqa: ASYNC110  timers may be early
            await asyncio.sleep(rest)
        hold = load.holds(number)
        second = tally.close_second(number, users=0, sockets=watch.sample(hold=hold))
        writer.write(line(Tick(second=second)))
        await writer.drain()
        number += 1


async def _lag(watch: Watch, tally: Tally) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(LAG_PERIOD)
        watch.lag(time.perf_counter() - before - LAG_PERIOD, hold=tally.holding)


def main() -> int:
    """0 when the coordinator got the worker's last word."""
    pod = socket.gethostname()
    channel: socket.socket | None = None
    try:
        deadline = time.monotonic() + CONNECT_SECONDS
        channel = connect(os.environ[COORDINATOR_VARIABLE], deadline)
        plan = introduce(channel, int(os.environ[INDEX_VARIABLE]), pod)
        if isinstance(plan.scenario.load, ClosedLoad):
            from loadtest.generator.closed_model import closed_worker  # noqa: PLC0415  patches all

            closed_worker(channel, plan, pod)
        else:
            uvloop.run(open_worker(channel, plan, pod))
    except (ChannelLost, OSError, TimeoutError) as error:
        text = f"{type(error).__name__}: {error}"
        sys.stderr.write(text + "\n")
        if Path(MESSAGE_FILE).exists():
            Path(MESSAGE_FILE).write_text(text, encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

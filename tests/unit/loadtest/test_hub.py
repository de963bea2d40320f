"""Coordinator and workers on the loopback, with the servers of conftest as target."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.coordinator import learn
from loadtest.coordinator.hub import Hub
from loadtest.coordinator.learn import Learner, Misbehaves, Unreachable
from loadtest.messages import Known, Plan
from nlpserve.load_results import Outcome
from nlpserve.load_scenarios import Scenario

ROOT = Path(__file__).parents[3]
OPEN = {"model": "open", "shape": 40, "ramp_seconds": 1, "seconds": 2}
CLOSED = {
    "model": "closed", "shape": 20, "seconds": 2, "think_seconds": {"least": 0.1, "most": 0.3}
}  # fmt: skip


def scenario(load=OPEN, **given):
    content = {"name": "a", "target": {"model": "intent"}, "load": load, "timeout_seconds": 2}
    return Scenario.model_validate(content | given)


def learner(port, **given):
    quick = {"workers": {"start_seconds": 0.2}} | given
    return Learner(scenario(**quick), "x", "127.0.0.1", port)


async def planned(server, number, **given):
    wanted = scenario(**given)
    texts = ["one", "two", "three"]
    answers = await Learner(wanted, "x", "127.0.0.1", server.port).answers(texts)
    server.served = 0
    return Plan(
        scenario=wanted, host="x", address="127.0.0.1", port=server.port, texts=texts,
        answers=answers, index=0, number=number,
    )  # fmt: skip


def start(index, port):
    variables = {"LOADTEST_COORDINATOR": f"127.0.0.1:{port}", "JOB_COMPLETION_INDEX": str(index)}
    return subprocess.Popen(
        [sys.executable, "-m", "loadtest.generator.worker"],
        cwd=ROOT, env={**os.environ, **variables}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


async def until(hub, there, seconds=60):
    async with asyncio.timeout(seconds):
        while not there():
            hub.changed.clear()
            await hub.changed.wait()


async def run(server, number, **given):
    """All workers to their end; hub and exit codes."""
    hub = Hub(await planned(server, number, **given))
    port = await hub.listen("127.0.0.1", 0)
    workers = [start(index, port) for index in range(number)]
    try:
        await until(hub, lambda: len(hub.ready) == number or hub.lost)
        hub.begin()
        await until(hub, lambda: hub.over)
        codes = [await asyncio.to_thread(worker.wait, 30) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.stderr.close()
            worker.wait()
        await hub.close()
    return hub, codes


@pytest.mark.parametrize("load", [OPEN, CLOSED])
async def test_workers_together_count_what_the_server_counts(server, load):
    hub, codes = await run(server, 2, load=load)
    assert codes == [0, 0]
    words = [hub.done[index] for index in (0, 1)]
    counts = [word.rise.counts + word.hold.counts for word in words]
    answered = sum(count.answered for count in counts)
    assert answered == sum(count.sent for count in counts) == server.served > 0
    assert all(count.answered for count in counts)
    rows = hub.timeline()
    assert sum(row.sent for row in rows) == sum(row.answered for row in rows) == answered
    assert sum(row.latency.number for row in rows) == answered
    if load is OPEN:
        assert answered == 100
        assert words[0].facts.connections + words[1].facts.connections == server.connections - 3
    else:
        assert max(row.users for row in rows) == 20
        assert server.connections - 3 == 20  # one each, kept


@pytest.mark.parametrize("load", [OPEN, CLOSED])
async def test_what_is_lost_is_counted_by_its_kind(server, load):
    async def wrong(found, _text, _writer):
        kind = found.served % 3
        if kind == 0:
            return None  # hangs up
        status = "503 Busy" if kind == 1 else "200 OK"
        body = b'{"predictions": []}'
        return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    plan = await planned(server, 1, load=load)
    server.misbehave = wrong
    hub = Hub(plan)
    port = await hub.listen("127.0.0.1", 0)
    with start(0, port) as worker:
        await until(hub, lambda: hub.ready or hub.lost)
        hub.begin()
        await until(hub, lambda: hub.over)
        assert await asyncio.to_thread(worker.wait, 30) == 0
        worker.stderr.close()
    await hub.close()
    counts = hub.done[0].rise.counts + hub.done[0].hold.counts
    assert counts.answered == 0
    assert counts.sent == counts.ended == counts.shed + counts.wrong + counts.reset
    assert min(counts.shed, counts.wrong, counts.reset) > 0
    assert hub.done[0].losses[0].outcome in set(Outcome)


async def test_a_worker_that_dies_is_lost(server):
    hub = Hub(await planned(server, 1))
    port = await hub.listen("127.0.0.1", 0)
    with start(0, port) as worker:
        await until(hub, lambda: hub.ready)
        worker.kill()
        await until(hub, lambda: hub.over)
        worker.stderr.close()
    assert list(hub.lost) == [0]
    await hub.close()


async def test_workers_end_when_the_coordinator_does(server):
    hub = Hub(await planned(server, 1, load=OPEN | {"seconds": 600}))
    port = await hub.listen("127.0.0.1", 0)
    with start(0, port) as worker:
        await until(hub, lambda: hub.ready)
        hub.begin()
        await until(hub, lambda: hub.second(0))
        await hub.close()
        assert await asyncio.to_thread(worker.wait, 30) == 1
        assert "coordinator went" in worker.stderr.read()
        worker.stderr.close()


async def test_right_answers_are_learned(server):
    found = await Learner(scenario(), "x", "127.0.0.1", server.port).answers(["one"])
    assert isinstance(found[0], Known)
    assert found[0].scores.keys() == {"a", "b"}
    assert await learner(server.port).facts() == ("1.2.3", "fr")


async def test_nobody_there_and_somebody_else_there_differ(server):
    with pytest.raises(Unreachable):
        await learner(1).facts()

    async def garbage(*_):
        body = json.dumps({"it": "works"}).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    server.misbehave = garbage
    with pytest.raises(Misbehaves):
        await learner(server.port).answers(["one"])


async def test_each_text_is_asked_for_again(server, monkeypatch):
    """However long the others took."""
    monkeypatch.setattr(learn, "MISBEHAVES_SECONDS", 0.5)
    monkeypatch.setattr(learn, "AGAIN_SECONDS", 0.01)
    asked = Learner(scenario(), "x", "127.0.0.1", server.port)
    await asyncio.sleep(0.6)
    refusals = 0

    async def thrice(*_):
        nonlocal refusals
        refusals += 1
        if refusals == 3:
            server.misbehave = None
        return b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"

    server.misbehave = thrice
    assert len(await asked.answers(["one", "two"])) == 2
    assert refusals == 3

"""A load on the open clock against a loopback server."""

import asyncio
import json

import pytest

from loadtest.calibration.search import SearchPlan
from loadtest.calibration.spec import MOST_TEXT_BYTES, CalibrationLoad, Searched, fitting
from loadtest.calibration.trials import Objective, Trial, Wish
from loadtest.generator.calibration import calibrate
from loadtest.generator.trial import Load, Target, TrialFailed
from loadtest.protocol import MAX_MESSAGE_BYTES

OBJECTIVE = Objective(seconds=0.2, share=0.9)
PAGE = """\
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total{model="intent"} 1.5
process_resident_memory_bytes 2.0e+08
nlpserve_in_flight{model="intent"} 3
nlpserve_in_flight{model="emotion"} 1
"""


@pytest.fixture
async def target(server):
    server.pages["/metrics"] = PAGE
    found = Target("127.0.0.1", server.port, "intent", timeout_seconds=2)
    await found.learn(["one", "two", "three"])
    return found


async def trial(target, rate=50, seconds=1.0, *, sample=False):
    wish = Wish(rate=rate, seconds=seconds, sample=sample)
    return await Load(target, wish, OBJECTIVE).run()


async def test_all_is_counted_when_all_goes_well(target):
    found = await trial(target, sample=True)
    assert (found.meant, found.sent, found.answered) == (50, 50, 50)
    assert found.meets(OBJECTIVE)
    assert found.gauge == 4  # the sum of both models
    assert found.little == pytest.approx(50 * found.mean_seconds)


async def test_a_slow_target_cannot_slow_the_clock(target, server):
    async def slow(_server, text, _writer):
        await asyncio.sleep(0.5)
        return server.right(text)

    server.misbehave = slow
    found = await trial(target)
    assert (found.sent, found.answered, found.in_time) == (50, 50, 0)
    assert found.share_seconds >= 0.5
    assert found.open > 10  # about 25 of them wait at a time
    assert not found.meets(OBJECTIVE)


async def test_shed_wrong_and_unanswered_are_no_answers(target, server):
    async def bad(served, text, _writer):
        return {
            0: server.plain({"title": "Overloaded"}, "503 Service Unavailable"),
            1: server.right(text + "?"),
            2: server.right(text),
        }[served.served % 3]

    server.misbehave = bad
    found = await trial(target, rate=30)
    assert found.sent == 30
    assert found.answered == found.wrong == 10
    assert not found.meets(OBJECTIVE)
    assert any("answers were wrong" in line for line in found.problems(OBJECTIVE))


async def test_a_pod_without_the_metrics_is_an_error(server):
    server.pages["/metrics"] = "up 1\n"
    with pytest.raises(TrialFailed, match="process_cpu_seconds_total"):
        await trial(Target("127.0.0.1", server.port, "intent", 2))


async def test_the_whole_search_over_a_socket(target, server, monkeypatch, capfd):
    """A server that holds about 100 requests/s: one at a time, 10 ms each."""
    lock = asyncio.Lock()

    async def one_at_a_time(_server, text, _writer):
        async with lock:
            await asyncio.sleep(0.01)
        return server.right(text)

    server.misbehave = one_at_a_time
    monkeypatch.setattr("loadtest.generator.calibration.IDLE_SECONDS", 0.1)
    monkeypatch.setattr("loadtest.generator.calibration.PAUSE_SECONDS", 0)
    monkeypatch.setattr("loadtest.calibration.search.LEAST_REQUESTS", 1)
    monkeypatch.setattr("loadtest.calibration.trials.MOST_LAG", 100)  # a busy machine is no matter
    monkeypatch.setattr("loadtest.calibration.search.MOST_SPREAD", 10)
    plan = SearchPlan(
        objective=OBJECTIVE, start_rate=20, seconds=0.8, point_seconds=0.5, repeats=2,
        resolution=0.5,
    )  # fmt: skip
    spec = CalibrationLoad(
        url=f"http://127.0.0.1:{server.port}", model="intent", search=plan, made_up=3,
        warm_seconds=0.2,
    )  # fmt: skip
    said = await calibrate(spec)
    assert (said.model_version, said.language, said.texts) == ("1.2.3", "fr", 3)
    assert said.memory_bytes == 2e8
    assert said.found is not None or said.invalid  # a busy machine may spoil it, and then says so
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("progress ")]
    assert json.loads(lines[0].removeprefix("progress "))["rate"] == 20


def test_the_last_word_fits_into_what_kubernetes_keeps(formula, follow, objective):
    from loadtest.calibration.search import search  # noqa: PLC0415

    plan = SearchPlan(objective=objective, repeats=5)
    found = follow(search(plan), formula(20_000 / 3))
    long = dict.fromkeys(("cpu", "generator_cpu", "lag", "open", "gauge"), 0.123456)
    points = [Trial(**(trial.model_dump() | long)) for trial in found.points]
    said = Searched(
        model_version="1.2.3", language="fr", texts=10_000, idle_cpu=1 / 3, memory_bytes=2e8 / 3,
        found=found.model_copy(update={"points": points}),
    )  # fmt: skip
    assert len(said.model_dump_json()) < MAX_MESSAGE_BYTES


def test_own_texts_fit_into_the_spec():
    assert fitting([]) == []
    assert fitting(["a", "b"]) == ["a", "b"]
    many = ["word " * 20] * 10_000
    kept = fitting(many)
    assert 0 < sum(len(text) for text in kept) <= MOST_TEXT_BYTES

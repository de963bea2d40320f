"""A load on the open clock against a loopback server."""

import asyncio
import json

import pytest

from loadtest.calibration.knee_search import SearchPlan
from loadtest.calibration.search import Found
from loadtest.calibration.spec import MOST_TEXT_BYTES, CalibrationLoad, Searched, fitting
from loadtest.calibration.trials import Objective, Trial, Wish
from loadtest.generator.calibration import calibrate
from loadtest.generator.pinned import LEARNERS, Pinned, Pod, TrialFailed
from loadtest.generator.trial import Load
from loadtest.protocol import MAX_MESSAGE_BYTES

OBJECTIVE = Objective(seconds=0.2, share=0.9)
PAGE = """\
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total{model="intent"} 1.5
process_resident_memory_bytes 2.0e+08
"""


def in_flight(texts):
    """The model's own page."""
    return json.dumps({"version": "1.2.3", "language": "fr", "live": {"in_flight": texts}})


@pytest.fixture
async def target(server):
    server.pages["/metrics"] = PAGE
    server.pages["/v1/models/intent"] = in_flight(4)
    found = Pinned([Pod("127.0.0.1", server.port)], "intent", timeout_seconds=2)
    await found.learn(["one", "two", "three"])
    return found


async def trial(target, rate=50, seconds=1.0, *, sample=0.0):
    wish = Wish(rate=rate, seconds=seconds, sample_seconds=sample)
    return await Load(target, wish, OBJECTIVE).run()


async def test_all_is_counted_when_all_goes_well(target):
    found = await trial(target, sample=0.2)
    assert (found.meant, found.sent, found.answered) == (50, 50, 50)
    assert found.meets(Objective(seconds=2, share=0.9))
    assert found.gauge == 4
    assert found.little == pytest.approx(50 * found.mean_seconds)


@pytest.mark.parametrize("page", ['{"live": {}}', "no JSON"])
async def test_a_pod_that_does_not_tell_its_texts_in_flight_is_not_measured(target, server, page):
    server.pages["/v1/models/intent"] = page
    with pytest.raises(TrialFailed, match=r"does not tell live\.in_flight"):
        await trial(target, seconds=0.5, sample=0.1)


async def test_several_pods_get_the_rate_each_and_tell_what_is_of_one(running, target, server):
    async with running() as second:
        second.pages["/metrics"] = PAGE
        second.pages["/v1/models/intent"] = in_flight(2)
        place = (Pod("127.0.0.1", served.port) for served in (server, second))
        both = Pinned(list(place), "intent", timeout_seconds=2)
        await both.learn(["one", "two", "three", "four"])
        before = server.served
        found = await trial(both, rate=50, sample=0.2)
        assert (found.rate, found.meant, found.answered) == (50, 100, 100)
        assert (server.served - before, second.served) == (50, 50)
        assert found.gauge == 3  # 4 of one and 2 of the other
        assert found.answered_rate == pytest.approx(50, rel=0.4)  # not 100; late on a busy machine
        assert found.little == pytest.approx(50 * found.mean_seconds)


@pytest.mark.parametrize(("pods", "texts"), [("ab", 2), ("ab", 1), ("abc", 5), ("abcd", 3)])
def test_pods_change_places_with_each_pass_over_the_texts(pods, texts):
    all_pods = Pinned([Pod(name, 1) for name in pods], "intent", timeout_seconds=2)
    all_pods.requests = [b""] * texts
    turns = [all_pods.next() for _ in range(len(pods) * texts)]
    assert len(turns) == len({(pod.host, text) for pod, text in turns})
    assert {text for _, text in turns[:texts]} == set(range(texts))


async def test_how_often_a_pod_reached_its_cpu_limit(target, server):
    assert (await trial(target, rate=5)).throttled is None
    pages = iter([(100, 10), (140, 20)])

    class Limited(dict):
        def get(self, _path):
            periods, throttled = next(pages)
            more = f"nlpserve_cpu_periods_total {periods}\n"
            return PAGE + more + f"nlpserve_cpu_throttled_periods_total {throttled}\n"

    server.pages = Limited()
    assert (await trial(target, rate=5)).throttled == 0.25


async def test_a_slow_target_cannot_slow_the_clock(target, server):
    async def slow(_server, text, _writer):
        await asyncio.sleep(0.5)
        return server.right(text)

    server.misbehave = slow
    found = await trial(target)
    assert (found.sent, found.answered, found.in_time) == (50, 50, 0)
    assert found.share_seconds >= 0.5
    assert found.open > 10  # about 25 of them wait at a time
    assert abs(found.growth) < 20  # and they become no more
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
        await trial(Pinned([Pod("127.0.0.1", server.port)], "intent", 2))


async def test_loads_go_on_with_the_texts_where_the_last_one_ended(target, server):
    asked = []

    async def note(_server, text, _writer):
        asked.append(text)
        return server.right(text)

    server.misbehave = note
    for _ in range(3):
        await trial(target, rate=4, seconds=0.5)
    assert asked == ["one", "two", "three", "one", "two", "three"]


async def test_texts_are_learned_side_by_side_and_keep_their_order(target, server):
    running, most = 0, 0

    async def slow(_server, text, _writer):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02 * (len(text) % 3))
        running -= 1
        return server.right(text)

    server.misbehave = slow
    await target.learn([f"text {number} {'x' * number}" for number in range(60)])
    assert 1 < most <= LEARNERS
    found = await trial(target, rate=120, seconds=0.5)
    assert (found.answered, found.wrong) == (60, 0)


async def test_a_search_over_a_socket(target, server, monkeypatch, capfd):
    """A server that holds less than 100 requests/s: one at a time, 10 ms each."""
    lock = asyncio.Lock()
    patient = Objective(seconds=2, share=0.9)  # of a busy machine, too

    async def one_at_a_time(_server, text, _writer):
        async with lock:
            await asyncio.sleep(0.01)
        return server.right(text)

    def short(plan):
        low = yield Wish(rate=20, seconds=plan.seconds)
        high = yield Wish(rate=300, seconds=plan.seconds, sample_seconds=0.1)
        return Found(
            knees=[20], mean=20, capacity=20, saturation=high.answered_rate, full_cpu=high.cpu,
            points=[low], check=high,
        )  # fmt: skip

    server.misbehave = one_at_a_time
    monkeypatch.setattr("loadtest.generator.calibration.IDLE_SECONDS", 0.1)
    monkeypatch.setattr("loadtest.generator.calibration.PAUSE_SECONDS", 0)
    monkeypatch.setattr("loadtest.generator.calibration.search", short)
    spec = CalibrationLoad(
        urls=(f"http://127.0.0.1:{server.port}",), model="intent", made_up=3, warm_seconds=0.2,
        search=SearchPlan(objective=patient, seconds=0.8),
    )  # fmt: skip
    said = await calibrate(spec)
    assert (said.model_version, said.language, said.texts) == ("1.2.3", "fr", 3)
    assert said.memory_bytes == 2e8
    assert said.found.points[0].holds(patient)
    assert not said.found.check.holds(patient)
    assert 0 < said.found.saturation <= 110
    assert said.found.check.growth > 100  # of the 300 that come in a second
    assert said.found.check.gauge == 4
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("progress ")]
    words = [json.loads(line.removeprefix("progress ")) for line in lines]
    assert [(word["rate"], word["met"]) for word in words] == [(20, True), (300, False)]


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
    # Long ones where an even stride falls, and characters that JSON writes with two.
    for texts in (["x" * 300, "a"] * 500, ['"' * 100] * 600):
        assert 0 < len(json.dumps(fitting(texts))) - len(fitting(texts)) <= MOST_TEXT_BYTES
    assert fitting(["x" * 100_000, "a"]) == ["a"]

import asyncio
import logging
import threading

import pytest

from bento import batching
from bento.pending import ClientLeft
from nlpserve.errors import ModelFailed, Overloaded
from nlpserve.metrics import Rejection

BOTH_RUNNERS = pytest.mark.parametrize("runner", ["loop", "thread"])


async def turns(count=8):
    """Let the event loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


def rejection(excinfo) -> Rejection:
    return excinfo.value.reason


def retry_after(error: Overloaded) -> int:
    return int(dict(error.headers)["retry-after"])


async def test_lone_text_goes_at_once(bench):
    batcher, runner, engine, observer, _ = bench()
    answer = batcher.submit(["one"])
    await turns()
    assert runner.running == ["one"]
    assert observer.starts == [([0.0], "idle")]
    runner.finish()
    (prediction,) = await answer
    assert prediction.scores == engine.expected("one")
    assert engine.labels[prediction.top] == engine.expected_label("one")
    assert observer.groups == [["one"]]


async def test_requests_of_the_same_turn_go_together(bench):
    batcher, runner, *_ = bench()
    answers = [batcher.submit([text]) for text in ("one", "two")]
    await turns()
    assert runner.finish() == ["one", "two"]
    await asyncio.gather(*answers)


async def test_all_that_waits_goes_when_the_model_becomes_free(bench):
    batcher, runner, _, observer, clock = bench()
    first = batcher.submit(["one"])
    await turns()
    clock.now += 1
    second = batcher.submit(["two"])
    clock.now += 1
    third = batcher.submit(["three", "four"])
    await turns()
    assert runner.running == ["one"]
    assert batcher.queue_depth == 3
    assert batcher.in_flight == 4
    clock.now += 1
    runner.finish()
    await turns()
    assert runner.running == ["two", "three", "four"]
    assert observer.starts[1] == ([2.0, 1.0, 1.0], "drained")
    assert batcher.queue_depth == 0
    runner.finish()
    await asyncio.gather(first, second, third)
    assert batcher.in_flight == 0


async def test_more_than_a_batch_is_split_and_the_reason_says_full(bench):
    batcher, runner, engine, observer, _ = bench(batch_size=4)
    texts = [f"text {number}" for number in range(10)]
    answer = batcher.submit(texts)
    sizes = []
    for _ in range(3):
        await turns()
        sizes.append(len(runner.finish()))
    assert sizes == [4, 4, 2]
    assert observer.reasons == ["full", "full", "drained"]
    assert [prediction.scores for prediction in await answer] == list(map(engine.expected, texts))


async def test_batch_is_bounded_in_characters(bench):
    batcher, runner, *_ = bench()
    half = "x" * (batching.BATCH_CHARACTERS // 2)
    answer = batcher.submit([half, half, "y"])
    await turns()
    assert runner.finish() == [half, half]
    await turns()
    assert runner.finish() == ["y"]
    await answer


async def test_the_cost_is_learned_from_batches_that_their_characters_fill(bench):
    batcher, runner, _, _, clock = bench(cost=1.0)
    half = "x" * (batching.BATCH_CHARACTERS // 2)
    answer = batcher.submit([half, half, "y"])
    await turns()
    clock.now += 4
    runner.finish()
    assert batcher.seconds_per_text == pytest.approx(1.2)  # a fifth of the way from 1 to 2
    await turns()
    clock.now += 80
    runner.finish()  # a small batch says nothing of full ones
    assert batcher.seconds_per_text == pytest.approx(1.2)
    await answer


async def test_what_nobody_waits_for_any_more_is_not_computed(bench):
    batcher, runner, *_ = bench()
    gone = []
    first = batcher.submit(["one"])
    await turns()
    given_up = batcher.submit(["two", "three"], lambda: bool(gone))
    kept = batcher.submit(["four"], lambda: False)
    gone.append(True)
    assert runner.finish() == ["one"]
    await turns()
    assert runner.finish() == ["four"]
    with pytest.raises(ClientLeft):
        await given_up
    assert len(await first) == len(await kept) == 1
    assert batcher.in_flight == 0


async def test_text_longer_than_the_bound_goes_alone(bench):
    batcher, runner, *_ = bench()
    long = "x" * (batching.BATCH_CHARACTERS + 1)
    answer = batcher.submit(["y", long, "z"])
    for expected in (["y"], [long], ["z"]):
        await turns()
        assert runner.finish() == expected
    await answer


async def test_groups_are_delivered_as_they_are_done(bench, fake_engine):
    engine = fake_engine(group=lambda size: [[size - 1], list(range(size - 1))])
    batcher, runner, _, observer, clock = bench(engine=engine)
    slow, quick = batcher.submit(["a", "b"]), batcher.submit(["c"])
    await turns()
    clock.now += 2
    runner.deliver_group()
    assert quick.done()
    assert not slow.done()
    assert batcher.in_flight == 2
    clock.now += 3
    runner.finish()
    assert [prediction.scores for prediction in await slow] == list(map(engine.expected, "ab"))
    assert observer.groups == [["c"], ["a", "b"]]
    assert observer.seconds == [5.0]


async def test_full_queue_refuses_and_says_when_to_come_back(bench):
    batcher, runner, *_ = bench(queue=3, batch_size=2, cost=0.9)
    running = batcher.submit(["a"])
    await turns()
    waiting = batcher.submit(["b", "c", "d"])
    with pytest.raises(Overloaded, match=r"3 texts; the limit is 3 \(queue_limit\)") as refused:
        batcher.submit(["e"])
    assert rejection(refused) is Rejection.QUEUE_FULL
    assert retry_after(refused.value) == 4  # four texts at 0.9 s, rounded up
    assert batcher.in_flight == 4
    for _ in range(3):
        runner.finish()
        await turns()
    await asyncio.gather(running, waiting)


async def test_request_that_does_not_fit_beside_those_that_wait_is_refused_whole(bench):
    batcher, *_ = bench(queue=3)
    batcher.submit(["a", "b"])
    with pytest.raises(Overloaded):
        batcher.submit(["c", "d"])
    assert batcher.queue_depth == 2


async def test_hopeless_deadline_is_refused_at_once(bench):
    batcher, *_ = bench(cost=1.0, deadline_seconds=2.5)
    batcher.submit(["a", "b", "c"])
    with pytest.raises(Overloaded, match=r"about 3\.0 s; the limit is 2\.5 s") as refused:
        batcher.submit(["d"])
    assert rejection(refused) is Rejection.DEADLINE
    assert retry_after(refused.value) == 3


async def test_the_cost_of_a_text_is_learned_from_large_batches(bench):
    batcher, runner, _, _, clock = bench(cost=1.0, batch_size=4)
    for size in (4, 1):
        answer = batcher.submit(["a"] * size)
        await turns()
        clock.now += 0.4
        runner.finish()
        await answer
    assert batcher.seconds_per_text == pytest.approx(0.82)  # a fifth of the way from 1 to 0.1


async def test_text_that_waited_too_long_expires_while_the_model_is_busy(bench, monkeypatch):
    monkeypatch.setattr(batching, "SWEEP_SECONDS", 0.002)
    batcher, runner, _, _, clock = bench(deadline_seconds=5.0)
    running = batcher.submit(["a"])
    await turns()
    clock.now += 1
    late = batcher.submit(["b"])
    clock.now += 4.5
    fresh = batcher.submit(["c"])
    clock.now += 1
    with pytest.raises(Overloaded, match=r"longer than 5 s \(deadline_seconds\)") as expired:
        await asyncio.wait_for(late, 5)
    assert rejection(expired) is Rejection.EXPIRED
    assert retry_after(expired.value) >= 1
    assert batcher.in_flight == 2
    runner.finish()
    await turns()
    assert runner.finish() == ["c"]
    await asyncio.gather(running, fresh)


async def test_expired_texts_never_reach_the_model(bench):
    batcher, runner, _, observer, clock = bench(deadline_seconds=5.0)
    batcher.submit(["a"])
    await turns()
    late = batcher.submit(["b"])
    clock.now += 6
    runner.finish()
    await turns()
    assert runner.running is None
    with pytest.raises(Overloaded):
        await late
    assert observer.reasons == ["idle"]
    again = batcher.submit(["c"])
    await turns()
    assert runner.finish() == ["c"]
    await again


@BOTH_RUNNERS
@pytest.mark.parametrize("word", ["poison", "panic"])
async def test_poison_fails_alone(bench, runner, word, caplog):
    batcher, _, engine, *_ = bench(runner)
    texts = ["good", f"secret {word}", "better"]
    answers = await asyncio.gather(
        *(batcher.submit([text]) for text in texts), return_exceptions=True
    )
    assert isinstance(answers[1], ModelFailed)
    for text, answer in zip(texts[::2], answers[::2], strict=True):
        assert answer[0].scores == engine.expected(text)
    assert batcher.alive
    assert batcher.in_flight == 0
    assert "secret" not in caplog.text
    assert f"a text of {len(texts[1])} characters" in caplog.text
    (after,) = await batcher.submit(["later"])
    assert after.scores == engine.expected("later")


@BOTH_RUNNERS
async def test_groups_done_before_the_poison_are_not_run_again(bench, fake_engine, runner):
    engine = fake_engine(group=lambda size: [[number] for number in range(size)])
    batcher, *_ = bench(runner, engine)
    await asyncio.gather(
        *(batcher.submit([text]) for text in ("a", "poison", "b")), return_exceptions=True
    )
    assert engine.batches == [["a", "poison", "b"], ["poison"], ["b"]]


async def test_request_with_a_poison_fails_and_its_other_texts_are_dropped(bench):
    batcher, runner, *_ = bench(batch_size=2)
    answer = batcher.submit(["poison", "a", "b", "c"])
    other = batcher.submit(["d"])
    await turns()
    runner.finish()
    with pytest.raises(ModelFailed):
        await answer
    await turns()
    assert runner.finish() == ["d"]
    await other
    assert batcher.in_flight == 0


@BOTH_RUNNERS
async def test_text_that_the_model_forgets_fails(bench, fake_engine, runner):
    engine = fake_engine(group=lambda size: [list(range(size - 1))] if size > 1 else [])
    batcher, *_ = bench(runner, engine)
    kept, forgotten = batcher.submit(["a"]), batcher.submit(["b"])
    await kept
    with pytest.raises(ModelFailed):
        await asyncio.wait_for(forgotten, 5)
    assert batcher.alive
    assert batcher.in_flight == 0


async def test_cancelled_clients_leave_nothing_behind(bench):
    batcher, runner, *_ = bench(batch_size=2)
    running, half, waiting = (
        batcher.submit(["a"]),
        batcher.submit(["b", "c"]),
        batcher.submit(["d"]),
    )
    await turns()
    assert runner.running == ["a", "b"]
    for answer in (running, half, waiting):
        answer.cancel()
    runner.finish()
    await turns()
    assert runner.running is None
    assert (batcher.in_flight, batcher.queue_depth) == (0, 0)
    after = batcher.submit(["e"])
    await turns()
    assert runner.finish() == ["e"]
    await after


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_dead_thread_fails_all_and_refuses_more(bench, fake_engine, caplog):
    before = set(threading.enumerate())
    batcher, *_ = bench("thread", fake_engine(), batch_size=1)
    (thread,) = set(threading.enumerate()) - before
    answers = [batcher.submit([text]) for text in ("death", "a", "b")]
    for failed in await asyncio.gather(*answers, return_exceptions=True):
        assert isinstance(failed, Overloaded)
        assert failed.reason is Rejection.MODEL_DEAD
        assert failed.status == 503
    thread.join(5)  # so that its exception is seen within this test
    assert not batcher.alive
    assert (batcher.in_flight, batcher.queue_depth) == (0, 0)
    assert [r.levelno for r in caplog.records if "dead" in r.message] == [logging.CRITICAL]
    with pytest.raises(Overloaded) as refused:
        batcher.submit(["c"])
    assert rejection(refused) is Rejection.MODEL_DEAD


async def test_batch_that_stalls_counts_as_dead(bench, monkeypatch):
    monkeypatch.setattr(batching, "SWEEP_SECONDS", 0.002)
    batcher, runner, _, _, clock = bench(stall_seconds=30.0)
    answer = batcher.submit(["a"])
    await turns()
    clock.now += 31
    with pytest.raises(Overloaded, match="more than 30 s") as failed:
        await asyncio.wait_for(answer, 5)
    assert rejection(failed) is Rejection.MODEL_DEAD
    assert not batcher.alive
    runner.finish()  # too late: nobody listens
    assert batcher.in_flight == 0


async def test_close_fails_what_waits_and_stops_the_runner(bench, caplog):
    batcher, runner, *_ = bench()
    running = batcher.submit(["a"])
    await turns()
    waiting = batcher.submit(["b"])
    batcher.close()
    for answer in (running, waiting):
        with pytest.raises(Overloaded, match="the server stops"):
            await answer
    assert runner.stopped
    assert batcher.in_flight == 0
    assert caplog.text == ""
    with pytest.raises(Overloaded):
        batcher.submit(["c"])
    batcher.close()


async def test_closing_ends_the_model_thread(bench, fake_engine):
    before = set(threading.enumerate())
    batcher, *_ = bench("thread", fake_engine())
    await batcher.submit(["a"])
    (thread,) = set(threading.enumerate()) - before
    batcher.close()
    thread.join(5)
    assert not thread.is_alive()


async def test_the_time_of_answering_is_not_the_models(bench):
    batcher, runner, _, observer, clock = bench()

    class SlowToWrite:
        def done(self):
            return False

        def set_result(self, result, /):
            clock.now += 7

    batcher.put(["a"], SlowToWrite())
    batcher.put(["b"], SlowToWrite())
    await turns()
    clock.now += 2
    runner.finish()
    assert observer.seconds == [2]

"""Whatever comes in whatever mix, each request gets its own texts' predictions, in order."""

import asyncio
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from nlpserve.errors import ModelFailed

words = st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: text + ".")
poisons = words.map(lambda text: f"poison {text}")
requests = st.lists(st.lists(words, min_size=1, max_size=9), min_size=1, max_size=12)
mixed = st.lists(
    st.lists(st.one_of(words, words, words, poisons), min_size=1, max_size=6),
    min_size=1,
    max_size=10,
)


def groupings(random):
    """How the engine splits a batch of a given size: any partition in any order."""

    def group(size):
        order = random.sample(range(size), size)
        cuts = sorted(random.sample(range(1, size), random.randint(0, size - 1)))
        return [order[start:end] for start, end in zip([0, *cuts], [*cuts, size], strict=True)]

    return group


async def submit_all(bench, batches, pauses):
    """Submit with turns of the loop between; the answers or errors, and the batcher at the end."""
    answers = []
    for texts, pause in zip(batches, pauses, strict=True):
        answers.append(bench.batcher.submit(texts))
        for _ in range(pause):
            await asyncio.sleep(0)
    try:
        results = await asyncio.wait_for(asyncio.gather(*answers, return_exceptions=True), 20)
        assert bench.batcher.in_flight == 0
        await asyncio.wait_for(bench.batcher.submit(["last"]), 20)
        assert bench.batcher.queue_depth == 0
        assert bench.batcher.alive
    finally:
        bench.batcher.close()
    return results


@settings(max_examples=60)
@given(batches=requests, batch_size=st.integers(1, 7), seed=st.integers(0, 1 << 30))
def test_every_request_gets_its_own_predictions_in_order(
    unmanaged_bench, fake_engine, batches, batch_size, seed
):
    random = Random(seed)
    engine = fake_engine(group=groupings(random))

    async def run():
        pauses = [random.randint(0, 2) for _ in batches]
        return await submit_all(
            unmanaged_bench("loop", engine, batch_size=batch_size), batches, pauses
        )

    for texts, answer in zip(batches, asyncio.run(run()), strict=True):
        assert [prediction.scores for prediction in answer] == list(map(engine.expected, texts))
        assert [engine.labels[p.top] for p in answer] == list(map(engine.expected_label, texts))
    ran = [text for batch in engine.batches for text in batch]
    assert sorted(ran) == sorted(["last", *(text for texts in batches for text in texts)])
    assert max(map(len, engine.batches)) <= batch_size


@settings(max_examples=60)
@given(batches=mixed, batch_size=st.integers(1, 7), seed=st.integers(0, 1 << 30))
def test_only_requests_with_a_poison_fail(unmanaged_bench, fake_engine, batches, batch_size, seed):
    random = Random(seed)
    engine = fake_engine(group=groupings(random))

    async def run():
        pauses = [random.randint(0, 2) for _ in batches]
        return await submit_all(
            unmanaged_bench("thread", engine, batch_size=batch_size), batches, pauses
        )

    for texts, answer in zip(batches, asyncio.run(run()), strict=True):
        if any("poison" in text for text in texts):
            assert isinstance(answer, ModelFailed)
        else:
            assert [prediction.scores for prediction in answer] == list(map(engine.expected, texts))

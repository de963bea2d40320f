import hashlib
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlpserve.sentences import LENGTHS, MAX_COUNT, SHARES, sentences

LANGUAGES = ("fr", "en")
DECILES = tuple(share for share in SHARES if 0.1 <= share <= 0.9)


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**64))
@example(seed=2068)
def test_deciles_are_those_of_the_training_set(language, seed):
    lengths = [len(text) for text in sentences(language, 3_000, seed)]
    for share, found in zip(DECILES, np.quantile(lengths, DECILES), strict=True):
        wanted = LENGTHS[language][SHARES.index(share)]
        # The least sure decile of 3,000 sentences is 0.8 characters off, with a deviation of 0.6.
        assert abs(found - wanted) <= max(4.0, 0.1 * wanted), f"{share:.0%}: {found}, not {wanted}"


@settings(max_examples=25)
@given(
    language=st.sampled_from(LANGUAGES),
    seed=st.integers(0, 1_000),
    count=st.integers(0, 300),
    more=st.integers(0, 300),
)
def test_a_seed_gives_the_same_distinct_texts_however_many_are_asked_for(
    language, seed, count, more
):
    texts = sentences(language, count, seed)
    assert len(set(texts)) == len(texts) == count
    assert sentences(language, count + more, seed)[:count] == texts


@settings(max_examples=25)
@given(language=st.sampled_from(LANGUAGES), seed=st.integers(0, 1_000))
def test_texts_can_be_sent_as_they_are(language, seed):
    for text in sentences(language, 300, seed):
        assert text == text.strip()
        assert text.isprintable()
        assert "  " not in text
        assert "|" not in text
        assert "{" not in text
        assert 2 <= len(text) <= LENGTHS[language][-1] + 10


@pytest.mark.parametrize(
    ("language", "digest"),
    [("fr", "c312a64245d7abd2"), ("en", "c1123275f4986790")],
)
def test_the_stream_is_the_same_on_every_python(language, digest):
    """A changed word list changes the digest; a changed Python must not."""
    texts = "\n".join(sentences(language, 2_000, 1))
    assert hashlib.sha256(texts.encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize("language", LANGUAGES)
def test_seeds_give_different_texts(language):
    first, second = (set(sentences(language, 500, seed)) for seed in (1, 2))
    assert len(first & second) < 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hundred_thousand_are_distinct(language):
    assert len(set(sentences(language, 100_000, 5))) == 100_000


@pytest.mark.parametrize("language", LANGUAGES)
def test_ten_thousand_take_a_fraction_of_a_second(language):
    sentences(language, 1, 3)
    start = time.process_time()
    sentences(language, 10_000, 3)
    assert time.process_time() - start < 1.0


def test_people_type_carelessly_but_not_always():
    french, english = (sentences(language, 5_000, 9) for language in LANGUAGES)

    def share(texts, holds):
        return sum(map(holds, texts)) / len(texts)

    def is_lower(text):
        return text == text.lower()

    assert 0.1 < share(french, is_lower) < 0.35
    assert 0.02 < share(english, is_lower) < 0.15
    assert share(french, lambda text: not text.isascii()) > 0.4
    assert share(french, lambda text: "?" in text) > 0.1
    for texts in (french, english):
        assert share(texts, lambda text: "'" in text) > 0.1
        assert 0.002 < share(texts, lambda text: max(text) >= "\U0001f300") < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("de", 1, 1), "language 'de'"),
        (("fr", -1, 1), "count -1"),
        (("fr", MAX_COUNT + 1, 1), "count"),
        (("en", 1, -1), "seed -1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sentences(*arguments)


@pytest.mark.parametrize("language", LANGUAGES)
def test_quantiles_rise(language):
    assert len(LENGTHS[language]) == len(SHARES)
    assert all(low < high for low, high in pairwise(LENGTHS[language]))

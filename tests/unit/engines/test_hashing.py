import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bento.engines.components import hashing

texts = st.lists(st.text(max_size=40), min_size=1, max_size=6)


def words_of(batch: hashing.Batch) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(batch.size)]
    word = ""
    number = 0
    for code in batch.codes.tolist():
        if code == int(hashing.OPEN):
            word = ""
        elif code == int(hashing.CLOSE):
            found[int(batch.word_doc[number])].append(word)
            number += 1
        else:
            word += chr(code)
    return found


def features_of(text: str, batch: list[str]) -> list[list[int]]:
    hashes, owner = hashing.features(hashing.read(batch))
    part, doc = np.divmod(owner, len(batch))
    here = doc == batch.index(text)
    return [hashes[here & (part == number)].tolist() for number in range(sum(hashing.PARTS))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Où est l\u2019HÔTEL 42 ?", ["ou", "est", "l", "'", "hotel", "00", "?"]),
        ("cœur\tde\nbœuf", ["coeur", "de", "boeuf"]),
        ("ok!!", ["ok", "!", "!"]),
        ("a\x00b", ["a", "b"]),
        ("va 😀👍", ["va", "😀", "👍"]),
        ("שלום עולם", ["שלום", "עולם"]),
        ("", []),
        (" \t\n", []),
    ],
)
def test_words_are_folded_and_cut(text: str, words: list[str]) -> None:
    assert words_of(hashing.read([text])) == [words]


def test_a_mark_that_no_letter_bears_is_dropped() -> None:
    assert words_of(hashing.read(["\u0301a", "\u0301"])) == [["a"], []]


def test_accents_typed_as_two_characters_read_the_same() -> None:
    assert words_of(hashing.read(["e\u0301te\u0301"])) == words_of(hashing.read(["été"]))


@given(texts)
def test_a_text_reads_the_same_whatever_its_neighbours(batch: list[str]) -> None:
    for text in batch:
        assert features_of(text, batch) == features_of(text, [text])


@given(texts)
def test_every_word_counts_one_ngram_for_each_place(batch: list[str]) -> None:
    read = hashing.read(batch)
    lengths = [len(word) + 2 for words in words_of(read) for word in words]
    for order, (hashes, word) in zip(hashing.CHAR_ORDERS, hashing.char_ngrams(read), strict=True):
        assert len(hashes) == sum(max(0, length - order + 1) for length in lengths)
        assert (np.diff(word) >= 0).all()


@given(st.text(max_size=30), st.text(max_size=30))
def test_equal_words_and_only_they_hash_alike(one: str, other: str) -> None:
    read = hashing.read([one, other])
    words = [word for found in words_of(read) for word in found]
    assert len(set(words)) == len(set(read.words.tolist()))


def test_word_order_changes_pairs_but_not_words() -> None:
    here, there = (hashing.read([text]) for text in ("chat noir", "noir chat"))
    single, pairs = zip(
        *(tuple(hashing.word_ngrams(*hashing.padded_words(read))) for read in (here, there)),
        strict=True,
    )
    assert sorted(single[0][0].tolist()) == sorted(single[1][0].tolist())
    assert not set(pairs[0][0].tolist()) & set(pairs[1][0].tolist())


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50), st.integers(1, 24))
def test_buckets_stay_inside_the_table(values: list[int], bits: int) -> None:
    buckets = hashing.bucket(np.array(values, np.uint64), bits)
    assert buckets.min() >= 0
    assert buckets.max() < 2**bits


def test_buckets_spread_evenly() -> None:
    buckets = hashing.bucket(np.arange(64_000, dtype=np.uint64), 6)
    assert np.bincount(buckets, minlength=64).std() < 3 * np.sqrt(1000)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 5), max_size=20).map(sorted))
def test_rows_are_added_to_their_owner(owners: list[int]) -> None:
    out = np.zeros((6, 2))
    hashing.add_by_owner(out, np.ones((len(owners), 2)), np.array(owners, np.int64))
    assert out[:, 0].tolist() == [owners.count(number) for number in range(6)]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Whitespace

from bento.engines import unknown_words
from bento.train.drift_profile import answer_all, bin_shares, quantile_edges, training_profile


def test_profile_of_made_up_texts():
    texts = ["ab"] * 3 + ["abcdefgh"]
    scores = np.array([[0.9, 0.1]] * 3 + [[0.4, 0.6]], np.float32)
    profile = training_profile(texts, ("short", "long"), scores, (4, 8))
    assert profile.documents == 4
    assert profile.labels == {"short": 0.75, "long": 0.25}
    assert profile.unknown_words == 0.5
    assert sum(profile.characters) == pytest.approx(1)
    assert len(profile.characters) == len(profile.characters_edges) + 1
    assert len(profile.confidence) == len(profile.confidence_edges) + 1


def test_all_texts_are_asked_in_order():
    class Lengths:
        labels = ("a", "b")

        def answer(self, texts):
            return np.array([[len(text), 0] for text in texts], np.float32)

    texts = ["x" * (number % 7) for number in range(150)]
    assert answer_all(texts, Lengths())[:, 0].tolist() == [number % 7 for number in range(150)]


def test_an_edge_opens_its_bin():
    assert bin_shares(np.array([1.0, 2.0, 3.0, 4.0]), [2.0, 4.0]) == [0.25, 0.5, 0.25]


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50))
def test_edges_rise_and_shares_sum_to_one(values):
    edges = quantile_edges(np.array(values))
    assert edges == sorted(set(edges))
    assert sum(bin_shares(np.array(values), edges)) == pytest.approx(1, abs=1e-4)


def test_unknown_words_of_a_subword_tokenizer():
    vocabulary = {"[UNK]": 0, "tea": 1, "a": 2, "##a": 3}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    count = lambda text: unknown_words.of_encoding(tokenizer.encode(text), 0)  # noqa: E731
    assert count("tea aaa") == (0, 2)  # three pieces are still a known word
    assert count("tea aaaa") == (1, 2)
    assert count("tea zzz") == (1, 2)
    assert count("") == (0, 0)
    tokenizer.enable_truncation(2)
    assert count("tea aaaa zzz a") == (2, 4)  # as without


def test_unknown_words_of_a_vector_table():
    words = [(True, True), (True, False), (False, False)]
    assert unknown_words.of_words(words) == (1, 2)

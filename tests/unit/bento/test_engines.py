from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tokenizers import Tokenizer

import bento
from bento.artifacts import ArtifactError, read_artifact
from bento.engines import load_engine
from bento.engines.spacy import unknown_counter
from bento.engines.transformer import group_by_length, softmax
from bento.engines.transformer import unknown_counter as unknown_to_tokenizer

lengths = st.lists(st.integers(1, 200), max_size=80)
budgets = st.integers(1, 600)


def padded(group, of):
    return len(group) * max(of[position] for position in group)


@given(lengths, budgets)
def test_groups_are_a_partition(of, budget):
    groups = list(group_by_length(of, budget))
    assert all(groups)
    assert sorted(position for group in groups for position in group) == list(range(len(of)))


@given(lengths, budgets)
def test_groups_stay_within_the_budget_unless_one_text_alone_is_over_it(of, budget):
    for group in group_by_length(of, budget):
        assert padded(group, of) <= budget or len(group) == 1


@given(lengths, budgets)
def test_groups_hold_texts_of_like_length(of, budget):
    groups = list(group_by_length(of, budget))
    for shorter, longer in pairwise(groups):
        assert max(of[position] for position in shorter) <= min(of[position] for position in longer)


@given(lengths, budgets)
def test_no_group_could_have_taken_one_more(of, budget):
    groups = list(group_by_length(of, budget))
    for group, following in pairwise(groups):
        assert padded([*group, following[0]], of) > budget


logits = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 9)),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(logits)
def test_softmax_rows_sum_to_one_and_keep_the_order(values):
    scores = softmax(values)
    assert scores.shape == values.shape
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    rows = np.arange(len(values))
    np.testing.assert_allclose(scores[rows, values.argmax(axis=1)], scores.max(axis=1), rtol=1e-6)


@pytest.mark.parametrize("kind", ["spacy", "transformer-onnx"])
def test_artifact_without_its_model_is_refused_in_one_line(artifact, kind):
    with pytest.raises(ArtifactError) as refused:
        load_engine(read_artifact(artifact("empty", kind=kind)), threads=1)
    assert "empty" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_words_without_a_vector_are_counted_while_the_pipeline_runs_elsewhere(tmp_path):
    nlp = spacy.blank("en")
    for word in ("tea", "Lyon"):
        nlp.vocab.set_vector(word, np.ones(3, np.float32))
    nlp.to_disk(tmp_path)
    nlp = spacy.load(tmp_path)
    count = unknown_counter(nlp, tmp_path)
    known = len(nlp.vocab.strings)
    assert count(["tea to Lyon, 3 teas!", "", "Lyon"]) == (2, 5)
    assert len(nlp.vocab.strings) == known  # what another thread uses stays as it is


def test_a_tokenizer_does_not_know_what_it_has_no_or_only_small_pieces_for():
    folder = Path(bento.__file__).parent / "models/emotion"
    count = unknown_to_tokenizer(Tokenizer.from_file(str(folder / "tokenizer.json")))
    assert count(["Hello \U0001f6f8 world", "thingamabobification"]) == (2, 4)


def test_a_pipeline_without_vectors_cannot_tell_words(tmp_path):
    assert unknown_counter(spacy.blank("en"), tmp_path) is None

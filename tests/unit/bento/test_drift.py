import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bento.artifacts import Profile
from bento.drift import MOST_LABELS, SLICES, Baseline, Sample, Window, chance_index, stability_index
from nlpserve.metrics import DriftFeature

FLOOR = 1e-4
EDGES = [10.0, 20.0, 30.0]


def shares(bins):
    """Distributions, some bins of them empty."""
    weights = arrays.arrays(
        np.float64, bins, elements=st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
    )
    return weights.filter(np.any).map(lambda found: found / found.sum())


pairs = st.integers(2, 20).flatmap(lambda bins: st.tuples(shares(bins), shares(bins)))


@given(pairs)
def test_the_index_is_finite_and_never_below_zero(two):
    index = stability_index(*two, FLOOR)
    assert np.isfinite(index)
    assert index >= 0


@given(pairs)
def test_the_index_is_the_same_both_ways(two):
    expected, actual = two
    assert stability_index(expected, actual, FLOOR) == pytest.approx(
        stability_index(actual, expected, FLOOR)
    )


@given(pairs)
def test_the_index_is_zero_for_equal_shares_alone(two):
    expected, actual = two
    assert stability_index(expected, expected, FLOOR) == 0
    if abs(expected - actual).max() > 0.01:
        assert stability_index(expected, actual, FLOOR) > 0


def test_the_index_of_a_worked_example():
    """(.3 - .2) ln(.3 / .2) + (.5 - .6) ln(.5 / .6) + 0."""
    index = stability_index(np.array([0.2, 0.5, 0.3]), np.array([0.3, 0.4, 0.3]), FLOOR)
    assert index == pytest.approx(0.1 * np.log(1.5) - 0.1 * np.log(0.8))


def test_chance_makes_as_much_of_it_as_is_said():
    rng = np.random.default_rng(5)
    expected = np.array([0.1] * 10)
    found = [
        stability_index(
            rng.multinomial(5000, expected) / 5000, rng.multinomial(400, expected) / 400, 0
        )
        for _ in range(400)
    ]
    assert np.mean(found) == pytest.approx(chance_index(10, 400, 5000), rel=0.1)


def profile(documents=5000, labels=None, **members):
    labels = labels or {"a": 0.5, "b": 0.3, "c": 0.2}
    quarters = [0.25] * 4
    return Profile(
        documents=documents,
        characters_edges=EDGES,
        characters=quarters,
        confidence_edges=[0.6, 0.8, 0.9],
        confidence=quarters,
        labels=labels,
        unknown_words=0.02,
        **members,
    )


def count_unknown(texts):
    words = [word for text in texts for word in text.split()]
    return sum(word == "zorglub" for word in words), len(words)


def sample(characters=15, top=0, confidence=0.7, text="a word"):
    return Sample(text, characters, top, confidence)


def like_training(count):
    """Documents that are as the profile says, 2 % of the words unknown."""
    return [
        sample(
            characters=(5, 15, 25, 35)[number % 4],
            top=(0, 0, 0, 0, 0, 1, 1, 1, 2, 2)[number % 10],
            confidence=(0.5, 0.7, 0.85, 0.95)[number % 4],
            text="zorglub " + "word " * 9 if number % 5 == 0 else "word " * 10,
        )
        for number in range(count)
    ]


def indices(samples, **made):
    baseline = Baseline(profile(**made), ("a", "b", "c"), count_unknown)
    return dict(baseline.indices(baseline.count(samples)))


def test_documents_like_the_training_texts_give_zero_for_each_feature():
    found = indices(like_training(1000))
    assert set(found) == set(DriftFeature)
    assert list(found.values()) == pytest.approx([0] * 4, abs=1e-9)


@pytest.mark.parametrize(
    ("feature", "changed"),
    [
        (DriftFeature.TEXT_LENGTH, {"characters": 400}),
        (DriftFeature.CONFIDENCE, {"confidence": 0.3}),
        (DriftFeature.LABELS, {"top": 2}),
        (DriftFeature.UNKNOWN_WORDS, {"text": "zorglub zorglub word"}),
    ],
)
def test_each_feature_tells_of_its_own_change_alone(feature, changed):
    samples = like_training(1000)
    found = indices([kept._replace(**changed) for kept in samples])
    assert found.pop(feature) > 0.25
    assert max(found.values()) < 0.001


def test_an_edge_opens_its_bin_as_in_the_profile():
    baseline = Baseline(profile(), ("a", "b", "c"), None)
    counts = baseline.count([sample(characters=10), sample(characters=9)])
    assert counts[:4].tolist() == [1, 1, 0, 0]


def test_labels_are_counted_in_the_models_order():
    baseline = Baseline(profile(labels={"c": 0.5, "a": 0.2, "b": 0.3}), ("a", "b", "c"), None)
    samples = [sample(top=top) for top in [0] * 200 + [1] * 300 + [2] * 500]
    assert dict(baseline.indices(baseline.count(samples)))[DriftFeature.LABELS] == pytest.approx(0)


def test_too_few_documents_give_no_index():
    assert indices(like_training(180)) == {}
    assert set(indices(like_training(200))) == set(DriftFeature)  # 3 bins more need 125
    wide = {f"label{number}": 1 / 16 for number in range(16)}
    baseline = Baseline(profile(labels=wide), tuple(wide), None)
    few = [sample(top=number % 16) for number in range(600)]
    assert DriftFeature.LABELS not in dict(baseline.indices(baseline.count(few)))
    many = [sample(top=number % 16) for number in range(800)]
    assert DriftFeature.LABELS in dict(baseline.indices(baseline.count(many)))


def test_without_a_count_of_unknown_words_there_is_no_index_of_them():
    baseline = Baseline(profile(), ("a", "b", "c"), None)
    counts = baseline.count(like_training(1000))
    assert DriftFeature.UNKNOWN_WORDS not in dict(baseline.indices(counts))


def test_a_profile_of_few_texts_tells_what_it_can():
    labels = {f"label{number}": 0.1 for number in range(10)}
    baseline = Baseline(profile(documents=200, labels=labels), tuple(labels), count_unknown)
    assert baseline.blind == [DriftFeature.LABELS]
    found = dict(baseline.indices(baseline.count([sample() for _ in range(100_000)])))
    assert set(found) == set(DriftFeature) - {DriftFeature.LABELS}


def test_many_labels_share_the_last_bin():
    labels = {f"label{number}": (300 - number) / 45_150 for number in range(300)}
    rare = Baseline(profile(labels=labels), tuple(labels), None)
    assert rare.bins == 4 + 4 + MOST_LABELS
    rng = np.random.default_rng(2)
    tops = rng.choice(300, 2000, p=list(labels.values()))
    counts = rare.count([sample(top=int(top)) for top in tops])
    assert dict(rare.indices(counts))[DriftFeature.LABELS] < 0.05
    counts = rare.count([sample(top=299) for _ in range(2000)])
    assert dict(rare.indices(counts))[DriftFeature.LABELS] > 0.25


@given(st.lists(st.tuples(st.floats(0, 500), st.integers(0, 5)), max_size=40))
def test_a_window_forgets_what_is_older_and_nothing_younger(events):
    window, seconds, now = Window(1, 120), 120, 1000.0
    seen = []
    for later, count in events:
        now += later
        window.add(np.array([count]), now)
        seen.append((now, count))
    total = int(window.total(now)[0])
    slice_seconds = seconds / SLICES
    young = sum(count for at, count in seen if now - at < seconds - slice_seconds)
    old = sum(count for at, count in seen if now - at <= seconds)
    assert young <= total <= old


def test_a_window_is_empty_again_without_traffic():
    window = Window(2, 60)
    window.add(np.array([3, 4]), 10.0)
    assert window.total(59.0).tolist() == [3, 4]
    assert window.total(75.0).tolist() == [0, 0]

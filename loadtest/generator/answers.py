"""The requests, and whether an answer is the right one."""

import math
from collections.abc import Mapping
from typing import Any, Final, cast, get_args

import orjson

from nlpserve import routes
from nlpserve.sentences import LanguageCode, sentences

TOLERANCE: Final = 0.02
"""Scores may differ by this much with the shape of the batch; another text's differ by more."""
SEED: Final = 5


def texts(language: str, count: int) -> list[str]:
    """Made-up sentences; English ones for a language that there are none of."""
    known = language if language in get_args(LanguageCode) else "en"
    return sentences(cast("LanguageCode", known), count, SEED)


def mixed(texts: list[str]) -> list[str]:
    """In an order in which any few of them, one after the other, have about all's mean length.

    The multiples of the golden ratio less their integers lie evenly, however many they are.
    """
    ratio = (math.sqrt(5) - 1) / 2
    turns = sorted(range(len(texts)), key=lambda turn: turn * ratio % 1)
    by_turn = dict(zip(turns, sorted(texts, key=len), strict=True))
    return [by_turn[turn] for turn in range(len(texts))]


def get(host: str, path: str) -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def classify(host: str, model: str, text: str, *, keep: bool) -> bytes:
    """A request for one text; without `keep` it says that the connection ends with it."""
    body = orjson.dumps({"texts": [text]})
    path = routes.V1_CLASSIFY.format(model=model)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n" + ("" if keep else "Connection: close\r\n")
    )
    return head.encode() + b"\r\n" + body


class Answer:
    """A label and the scores of all labels."""

    def __init__(self, label: str, scores: Mapping[str, float]) -> None:
        """As the model gave them."""
        self.label = label
        self.scores = scores

    def agrees(self, other: "Answer") -> bool:
        """Whether both are the answer to the same text."""
        return (
            self.label == other.label
            and self.scores.keys() == other.scores.keys()
            and all(
                math.isclose(score, other.scores[label], rel_tol=0, abs_tol=TOLERANCE)
                for label, score in self.scores.items()
            )
        )


def read(body: bytes, model: str) -> Answer | None:
    """The answer in a body; None when it is none of this model's to one text."""
    try:
        content: Any = orjson.loads(body)
        (prediction,) = content["predictions"]
        label, scores = prediction["label"], prediction["scores"]
        whole = content["model"] == model and all(map(math.isfinite, scores.values()))
        return Answer(label, scores) if whole and label in scores else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

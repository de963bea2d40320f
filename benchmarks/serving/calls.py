"""The measured routes: a text to request bytes, an answer's body against the model's scores."""

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import Final
from urllib.parse import quote_plus

import numpy as np
import orjson
from numpy.typing import NDArray

from benchmarks.serving.results import AnswerCheck
from nlpserve import routes

INTENT: Final = "intent"
EMOTION: Final = "emotion"
REQUESTS: Final = {
    INTENT: f"GET {routes.INTENT}?sentence=TEXT",
    EMOTION: f'POST {routes.ROOT} {{"comment": TEXT}}',
}
SCORE_TOLERANCE: Final = 1e-3
"""Served scores are rounded to four places, and a text's batch may shift its scores a little."""
TIE_MARGIN: Final = 1e-4
"""Labels this close may change places with the batch that a text is in: float32 sums in another
order. Counted apart, and no mismatch."""
EXAMPLES: Final = 5


class Verdict(Enum):
    """How an answer compares with the raw pipeline's."""

    SAME = auto()
    NEAR_TIE = auto()
    OTHER = auto()


Answered = tuple[int, bytes]
"""Index of the text, body of the answer."""


def request_bytes(model: str, text: str, host: str, port: int) -> bytes:
    """The whole HTTP/1.1 request for one text."""
    address = f"Host: {host}:{port}\r\n"
    if model == INTENT:
        target = f"{routes.INTENT}?sentence={quote_plus(text)}"
        return f"GET {target} HTTP/1.1\r\n{address}\r\n".encode()
    body = orjson.dumps({"comment": text})
    head = (
        f"POST {routes.ROOT} HTTP/1.1\r\n{address}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class AnswerChecker:
    """Compares answers with the raw pipeline's scores, FP32 [texts, labels]."""

    def __init__(self, model: str, labels: Sequence[str], scores: NDArray[np.float32]) -> None:
        """Scores in the order of the texts."""
        self._model = model
        self._labels = tuple(labels)
        self._scores = scores
        # Most texts are answered many times, and alike.
        self._verdicts: dict[Answered, Verdict] = {}
        self._checked = 0
        self._mismatches = 0
        self._near_ties = 0
        self._largest = 0.0
        self._examples: list[str] = []
        self._texts: set[int] = set()

    def check(self, answers: Iterable[Answered]) -> None:
        """Count each answer."""
        for answer in answers:
            self._checked += 1
            self._texts.add(answer[0])
            verdict = self._verdicts.get(answer)
            if verdict is None:
                verdict = self._verdicts[answer] = self._compare(*answer)
            self._mismatches += verdict is Verdict.OTHER
            self._near_ties += verdict is Verdict.NEAR_TIE

    def result(self) -> AnswerCheck:
        """What was counted so far."""
        return AnswerCheck(
            checked=self._checked,
            distinct_texts=len(self._texts),
            mismatches=self._mismatches,
            near_ties=self._near_ties,
            largest_difference=self._largest if self._model == INTENT else None,
            examples=self._examples,
        )

    def _compare(self, index: int, body: bytes) -> Verdict:
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError:
            return self._differs(index, "the body is not JSON")
        if not isinstance(message, dict):
            return self._differs(index, "the body is no object")
        if self._model == INTENT:
            return self._same_scores(index, message)
        return self._same_label(index, message)

    def _same_scores(self, index: int, message: dict[str, object]) -> Verdict:
        values = [message.get(label) for label in self._labels]
        numbers = [float(value) for value in values if isinstance(value, int | float)]
        if set(message) != set(self._labels) or len(numbers) != len(self._labels):
            return self._differs(index, "the labels are others")
        difference = float(np.abs(np.array(numbers) - self._scores[index]).max())
        self._largest = max(self._largest, difference)
        if not difference <= SCORE_TOLERANCE:
            return self._differs(index, f"a score is {difference:.5f} away")
        return Verdict.SAME

    def _same_label(self, index: int, message: dict[str, object]) -> Verdict:
        scores = self._scores[index]
        second, best = (int(position) for position in np.argsort(scores, kind="stable")[-2:])
        found = message.get("prediction")
        if found == self._labels[best]:
            return Verdict.SAME
        margin = float(scores[best] - scores[second])
        if found == self._labels[second] and margin < TIE_MARGIN:
            return Verdict.NEAR_TIE
        return self._differs(
            index, f"{found!r}, not {self._labels[best]!r}, which is {margin:.5f} ahead"
        )

    def _differs(self, index: int, why: str) -> Verdict:
        if len(self._examples) < EXAMPLES:
            self._examples.append(f"text {index}: {why}")
        return Verdict.OTHER

"""A running service as a classifier: POST /v1/models/{model}/classify."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import requests
from numpy.typing import NDArray

from bento.train.errors import UnreachableError
from bento.train.sessions import CONNECT_SECONDS, READ_SECONDS, cause, retrying_session
from nlpserve.routes import V1_CLASSIFY, V1_MODEL


class ServiceAnswers:
    """One model of a service, over one connection. A 503 is tried again, as Retry-After says."""

    def __init__(
        self, url: str, model: str, *, key: str | None = None, backoff: float = 0.5
    ) -> None:
        """Ask for the model's labels. Raises UnreachableError if it is not served."""
        base = url.rstrip("/")
        self._url = base + V1_CLASSIFY.format(model=model)
        self._session = retrying_session((503,), backoff=backoff)
        if key:
            self._session.headers["Authorization"] = f"Bearer {key}"
        facts = self._ask("GET", base + V1_MODEL.format(model=model))
        try:
            self.labels = tuple(str(label) for label in facts["labels"])
            self._most_texts = max(1, int(facts["limits"]["max_texts"]))
        except (KeyError, TypeError, ValueError):
            raise UnreachableError(
                f"{base} does not say which labels {model} has, or how many texts it takes"
            ) from None

    def __enter__(self) -> Self:
        """The connection is open already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._session.close()

    def answer(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Scores of the texts, [texts, labels], in as many requests as the service's limit asks.

        Raises UnreachableError.
        """
        parts = [
            self._answer(texts[start : start + self._most_texts])
            for start in range(0, len(texts), self._most_texts)
        ]
        return np.concatenate(parts)

    def _answer(self, texts: Sequence[str]) -> NDArray[np.float32]:
        answer = self._ask("POST", self._url, {"texts": list(texts)})
        try:
            table = [
                [float(row["scores"][label]) for label in self.labels]
                for row in answer["predictions"]
            ]
        except (KeyError, TypeError, ValueError):
            table = []
        if len(table) != len(texts):
            raise UnreachableError(f"{self._url} did not answer with all scores for each text")
        return np.array(table, dtype=np.float32)

    def _ask(self, method: str, url: str, body: object = None) -> dict[str, Any]:
        timeout = (CONNECT_SECONDS, READ_SECONDS)
        try:
            answer = self._session.request(method, url, json=body, timeout=timeout)
        except requests.RequestException as error:
            raise UnreachableError(f"{url} does not answer: {cause(error)}") from None
        if answer.status_code != 200:
            raise UnreachableError(f"{url} answered {answer.status_code}: {_detail(answer)}")
        try:
            content = answer.json()
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise UnreachableError(f"{url} did not answer with a JSON object")
        return content


def _detail(answer: requests.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text[:200].split()) or "no reason given"

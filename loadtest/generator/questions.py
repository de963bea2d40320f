"""The requests of each route, and whether an answer is the right one."""

from typing import Any, Final
from urllib.parse import quote

import orjson

from loadtest.generator import answers
from loadtest.generator.answers import Answer
from loadtest.generator.connection import Response
from loadtest.messages import Known, Plan
from nlpserve import routes
from nlpserve.load_results import Outcome

CLASS_2: Final = range(200, 300)
MOST_BODIES: Final = 16
"""Of one text that are known to be right: scores differ a little with the batch."""


def request(route: str, host: str, model: str, text: str, *, keep: bool) -> bytes:
    """One text to be classified; without `keep` it says that the connection ends with it."""
    if route == "v1":
        return answers.classify(host, model, text, keep=keep)
    close = "" if keep else "Connection: close\r\n"
    if route == "intent":
        path = f"{routes.INTENT}?sentence={quote(text)}"
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{close}\r\n".encode()
    body = orjson.dumps({"comment": text})
    head = (
        f"POST {routes.ROOT} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{close}\r\n"
    )
    return head.encode() + body


def read(route: str, model: str, body: bytes) -> Answer | None:
    """The answer in a body; None when it is none of this route's."""
    if route == "v1":
        return answers.read(body, model)
    try:
        content: Any = orjson.loads(body)
        if route == "emotion":
            label = content["prediction"]
            return Answer(label, {}) if isinstance(label, str) else None
        label = max(content, key=lambda name: float(content[name]))
        return Answer(label, {name: float(score) for name, score in content.items()})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


class Questions:
    """The texts of a plan as requests, in turn."""

    def __init__(self, plan: Plan) -> None:
        """Every request is put together here, so that sending costs nothing."""
        target = plan.scenario.target
        keep = plan.scenario.connections.requests != 1
        self._route, self._model = target.route, target.model
        self._requests = [
            request(target.route, plan.host, target.model, text, keep=keep) for text in plan.texts
        ]
        self._known = [_answer(known) for known in plan.answers]
        self._bodies: list[set[bytes]] = [set() for _ in plan.texts]
        # Workers begin at different texts.
        self._next = plan.index * len(plan.texts) // plan.number

    def next(self) -> tuple[int, bytes]:
        """The number of the next text, and its request."""
        number = self._next % len(self._requests)
        self._next += 1
        return number, self._requests[number]

    def judge(self, number: int, response: Response) -> tuple[Outcome, str]:
        """What became of the request, with an example of what was wrong."""
        if response.status == 503:
            return Outcome.SHED, repr(response.body)
        if response.status not in CLASS_2:
            return Outcome.STATUS, f"{response.status} {response.body!r}"
        bodies = self._bodies[number]
        if response.body in bodies:
            return Outcome.ANSWERED, ""
        found = read(self._route, self._model, response.body)
        if found is None or (self._known and not found.agrees(self._known[number])):
            return Outcome.WRONG, repr(response.body)
        if len(bodies) < MOST_BODIES:
            bodies.add(response.body)
        return Outcome.ANSWERED, ""


def _answer(known: Known) -> Answer:
    return Answer(known.label, known.scores)

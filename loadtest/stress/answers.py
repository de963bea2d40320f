"""Whether an answer is right."""

import json
from typing import Any, Final

from loadtest.stress.spec import Route

SHOWN: Final = 80
"""Characters of a wrong answer in the failures' table."""


def wrong(status: int, body: bytes | None, route: Route) -> str | None:
    """What is wrong with an answer; None when it is right. Status 0: there was none."""
    if status != 200:
        return f"status {status}" if status else "no answer"
    try:
        answer = json.loads(body or b"")
    except ValueError:
        answer = None
    if _expected(answer, route):
        return None
    return f"not the answer of {route}: {(body or b'')[:SHOWN].decode('utf-8', 'replace')}"


def _expected(answer: Any, route: Route) -> bool:  # noqa: ANN401  any JSON
    if not isinstance(answer, dict) or not answer:
        return False
    if route is Route.EMOTION:
        return isinstance(answer.get("prediction"), str)
    return all(isinstance(score, int | float) for score in answer.values())

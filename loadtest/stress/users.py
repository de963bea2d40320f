"""Locust's users: each asks again as soon as it is answered."""

from random import Random
from typing import Final

from locust import FastHttpUser, task

from loadtest.stress.answers import wrong
from loadtest.stress.spec import Route, StressSpec
from nlpserve import routes
from nlpserve.sentences import LanguageCode, sentences

TEXTS: Final = 1_000
SEED: Final = 0


class Asking(FastHttpUser):
    """What both kinds share. Nothing is sent twice: what fails is counted."""

    abstract = True
    max_retries = 0
    insecure = False
    rng = Random(SEED)  # noqa: S311  texts, not secrets
    texts: tuple[str, ...] = ()


class Commenter(Asking):
    """POST / with a comment."""

    abstract = True

    @task
    def comment(self) -> None:
        """Right when the answer is a prediction."""
        body = {"comment": self.rng.choice(self.texts)}
        with self.client.post(routes.ROOT, json=body, catch_response=True) as response:
            fault = wrong(response.status_code, response.content, Route.EMOTION)
            response.failure(fault) if fault else response.success()


class Searcher(Asking):
    """GET /api/intent with a sentence."""

    abstract = True

    @task
    def sentence(self) -> None:
        """Right when the answer is a score for each label."""
        query = {"sentence": self.rng.choice(self.texts)}
        with self.client.get(
            routes.INTENT, params=query, name=routes.INTENT, catch_response=True
        ) as response:
            fault = wrong(response.status_code, response.content, Route.INTENT)
            response.failure(fault) if fault else response.success()


def users(spec: StressSpec) -> type[Asking]:
    """The class of users that the spec wants."""
    kind: type[Asking] = Searcher if spec.route is Route.INTENT else Commenter
    language: LanguageCode = "fr" if spec.route is Route.INTENT else "en"
    attributes = {
        "abstract": False,
        "host": spec.host,
        "texts": tuple(sentences(language, TEXTS, SEED)),
        "network_timeout": spec.timeout,
        "connection_timeout": spec.timeout,
    }
    return type(f"{kind.__name__}s", (kind,), attributes)

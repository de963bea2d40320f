"""The BentoML service: `bentoml serve bento.service:nlpserve`.

Its API method feeds the same batchers as the lean layer, which stands round BentoML's application.
"""

import logging
import os
import sys
from typing import Annotated, Any

import bentoml
from _bentoml_sdk import Service
from bentoml.exceptions import BentoMLException
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from bento.edge.application import Application, current_request
from bento.edge.keys import Keys
from bento.edge.v1 import as_json
from bento.pending import ClientLeft
from bento.preflight import check_start
from bento.runtime import Runtime
from bento.settings import load_settings
from nlpserve import __version__
from nlpserve.errors import NlpserveError

# BentoML logs warnings of others only; which model started how, and a drain, are worth a line.
for _name in ("bento", "nlpserve"):
    logging.getLogger(_name).setLevel(logging.INFO)


class Answer(BaseModel):
    """One text's answer."""

    label: str
    scores: dict[str, float]


class ShedOrInvalid(BentoMLException):
    """Carries an NlpserveError through BentoML, whose status code decides the client's class."""


_runtimes: dict[str, Runtime] = {}


class NlpserveService(Service[Any]):
    """A BentoML service with the lean layer round its application."""

    __slots__ = ()

    def to_asgi(self, is_main: bool = True) -> ASGIApp:  # noqa: FBT001, FBT002  BentoML's signature
        """The application of one process, with one copy of each model."""
        settings = load_settings()
        runtime = _runtimes[self.name] = Runtime(settings)
        inner = super().to_asgi(is_main)
        return Application(inner, runtime, Keys(settings), self.openapi_spec.asdict())


@bentoml.service(
    name="nlpserve",
    workers=1,  # one process a pod: one queue and one model copy, and the HPA counts pods
    traffic={"timeout": 600},  # the batcher's deadline comes long before
    metrics={"enabled": False},  # /metrics is the lean layer's; BentoML's would label raw paths
    logging={"access": {"enabled": False}},
)
class Classifier:
    """Text classifiers: French intents, English emotions, and your own."""

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Stop a start that cannot succeed, with one line, before any worker is made."""
        check_start()
        # As in a container, a worker that ends takes its supervisor along: started again and
        # again, one that cannot load its model would never be noticed.
        os.environ.setdefault("BENTOML_CONTAINERIZED", "true")
        sys.tracebacklimit = 0  # the supervisor's own trace would bury the worker's line

    @bentoml.api
    async def classify(
        self,
        texts: Annotated[list[str], Field(description="Texts to classify.")],
        model: Annotated[str, Field(description="Name of a served model.")] = "intent",
    ) -> list[Answer]:
        """Classify texts: for each, the label and all scores."""
        runtime = _runtimes["nlpserve"]
        request = current_request.get()
        try:
            served = runtime.model(model)
            if request is not None:
                request.model = served.name
            left = None if request is None else request.left
            predictions = await runtime.classify(model, texts, left)
        except NlpserveError as error:
            if request is None:
                raise ShedOrInvalid(error.detail, error_code=error.http_status) from None
            request.error = error  # the lean layer answers it in place of what is returned here
            return []
        except ClientLeft as error:
            if request is None:
                raise
            request.error = error
            return []
        return [Answer(**as_json(served, prediction)) for prediction in predictions]


nlpserve = Classifier
nlpserve.__class__ = NlpserveService  # type: ignore[method-assign]  # BentoML gives no other way
__all__ = ["__version__", "nlpserve"]

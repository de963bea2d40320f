"""The routes of the two origin services, as their clients know them."""

from typing import Final

import orjson

from bento.edge.body import is_json, parse_json, read_body
from bento.edge.messages import JSON, TEXT, Direct, Handler, Request, Response, query_values
from bento.limits import Limits, check_text
from bento.pending import Prediction, Reply
from bento.runtime import ServedModel
from nlpserve import routes
from nlpserve.errors import InvalidRequest, UnprocessableRequest

INTENT_MODEL: Final = "intent"
EMOTION_MODEL: Final = "emotion"
WRONG_COMMENT: Final = b"The message must be JSON in the form json={'comment': string_to_predict}."
"""The origin's answer to whatever it could not read, to the letter."""


class IntentRoute(Direct):
    """GET /api/intent?sentence=…: all labels with their scores, rounded to four places."""

    def __init__(self, model: ServedModel, limits: Limits) -> None:
        """`limits` bound the sentence."""
        self._model = model
        self._limits = limits
        # One format for all answers: a third of the time of rounding into a dict and encoding that.
        self._template = b"{%b}" % b",".join(
            orjson.dumps(label).replace(b"%", b"%%") + b":%.4f" for label in model.labels
        )

    def begin(self, request: Request, reply: Reply) -> None:
        """Submit the sentence."""
        request.model = INTENT_MODEL
        request.route = routes.INTENT
        values = query_values(request.query, b"sentence")
        if not values:
            raise UnprocessableRequest("The query parameter sentence is missing.")
        request.texts = values[-1:]
        check_text(values[-1], "sentence", self._limits)
        self._model.put(request.texts, reply)

    def respond(self, request: Request, predictions: list[Prediction]) -> Response:
        """Format the scores."""
        self._model.log_predictions(request.texts, predictions)
        return Response(self._template % tuple(predictions[0].scores), JSON)


def comment_handler(model: ServedModel, limits: Limits) -> Handler:
    """POST / with {"comment": text}: {"prediction": label}."""
    answers = [orjson.dumps({"prediction": label}) for label in model.labels]

    async def post_comment(request: Request) -> Response:
        request.model = EMOTION_MODEL
        request.route = routes.ROOT
        body = await read_body(request, limits)
        try:
            comment = _comment(request, body, limits)
            check_text(comment, "comment", limits)
        except InvalidRequest as error:
            raise WrongComment(error.detail) from None
        (prediction,) = await model.classify([comment], request.left)
        return Response(answers[prediction.top], JSON)

    return post_comment


class WrongComment(InvalidRequest):
    """Answered with the origin's text instead of a problem object."""

    def response(self) -> Response:
        """The origin's answer."""
        return Response(WRONG_COMMENT, TEXT, self.status)


def _comment(request: Request, body: bytes, limits: Limits) -> str:
    if not is_json(request):
        raise InvalidRequest("The content type is not application/json.")
    message = parse_json(body, limits)
    comment = message.get("comment") if isinstance(message, dict) else None
    if not isinstance(comment, str):
        raise InvalidRequest("The body is not an object with the string comment.")
    return comment

"""The product's own JSON API."""

from collections.abc import Iterable
from typing import Any

from bento.edge.body import read_json
from bento.edge.messages import Handler, Request, Response, json_response
from bento.limits import Limits, check_texts
from bento.pending import Prediction
from bento.runtime import Runtime, ServedModel
from nlpserve import routes
from nlpserve.errors import UnprocessableRequest


def as_json(model: ServedModel, prediction: Prediction) -> dict[str, Any]:
    """The label and all scores, rounded to six places: more is noise of the batch's shape."""
    scores = {
        label: round(score, 6) for label, score in zip(model.labels, prediction.scores, strict=True)
    }
    return {"label": model.labels[prediction.top], "scores": scores}


def facts(model: ServedModel, runtime: Runtime) -> dict[str, Any]:
    """What a client may want to know: the manifest's facts and the limits in force."""
    manifest = model.manifest
    settings = runtime.settings
    return {
        "name": model.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "language": manifest.language,
        "labels": manifest.labels,
        "sha256": manifest.sha256,
        "licence": manifest.licence,
        "scores": manifest.scores,
        "max_tokens": manifest.max_tokens,
        "limits": {
            "max_body_bytes": settings.max_body_bytes,
            "max_texts": settings.max_texts,
            "max_characters": settings.max_characters,
            "max_json_depth": settings.max_json_depth,
            "max_batch_size": settings.max_batch_size,
            "queue_limit": settings.queue_limit,
            "deadline_seconds": settings.deadline_seconds,
        },
        "live": {
            "in_flight": model.batcher.in_flight,
            "queue_depth": model.batcher.queue_depth,
            "seconds_per_text": round(model.batcher.seconds_per_text, 6),
            "ready": runtime.ready,
        },
    }


def classify_handler(model: ServedModel, limits: Limits) -> Handler:
    """POST /v1/models/{model}/classify with {"texts": [...]}."""

    async def classify(request: Request) -> Response:
        request.model = model.name
        request.route = routes.V1_CLASSIFY
        texts = read_texts(await read_json(request, limits))
        check_texts(texts, "texts", limits)
        predictions = await model.classify(texts, request.left)
        return json_response(
            {
                "model": model.name,
                "version": model.manifest.version,
                "predictions": [as_json(model, prediction) for prediction in predictions],
            }
        )

    return classify


def model_handler(model: ServedModel, runtime: Runtime) -> Handler:
    """GET /v1/models/{model}."""

    async def get_model(request: Request) -> Response:
        request.model = model.name
        request.route = routes.V1_MODEL
        return json_response(facts(model, runtime))

    return get_model


def models_handler(runtime: Runtime) -> Handler:
    """GET /v1/models."""

    async def get_models(request: Request) -> Response:
        request.route = routes.V1_MODELS
        return json_response(
            {"models": [facts(model, runtime) for model in runtime.models.values()]}
        )

    return get_models


def read_texts(body: object, *, others: Iterable[str] = ()) -> list[str]:
    """The list of strings `texts`; members beside it must be among `others`.

    Raises UnprocessableRequest.
    """
    if not isinstance(body, dict) or "texts" not in body:
        raise UnprocessableRequest('The body must be an object like {"texts": ["..."]}.')
    if not body.keys() <= {"texts", *others}:
        raise UnprocessableRequest(
            f"The body must hold nothing but {' and '.join(['texts', *others])}."
        )
    texts = body["texts"]
    if not isinstance(texts, list):
        raise UnprocessableRequest("texts must be a list of strings.")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise UnprocessableRequest(f"texts[{position}] must be a string.")
    return texts


def check_native(body: object) -> None:
    """Check what BentoML's own route will read: it would say what is wrong in the log alone.

    Raises UnprocessableRequest.
    """
    read_texts(body, others=("model",))
    if isinstance(body, dict) and not isinstance(body.get("model", ""), str):
        raise UnprocessableRequest("model must be a string.")

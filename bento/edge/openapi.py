"""The OpenAPI document: our routes, built from the served models, beside BentoML's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from bento.runtime import ServedModel
from bento.settings import Settings
from nlpserve import __version__, routes
from nlpserve.errors import PROBLEM_MEDIA_TYPE

Json = dict[str, Any]


def document(settings: Settings, models: Sequence[ServedModel], inner: Mapping[str, Any]) -> Json:
    """OpenAPI 3.0.2, as BentoML writes it, with both sets of paths."""
    text = {
        "type": "string",
        "minLength": 1,
        "maxLength": settings.max_characters,
        "pattern": r"\S",
    }
    paths: Json = {
        path: item for path, item in inner.get("paths", {}).items() if path == routes.BENTO_CLASSIFY
    }
    paths[routes.V1_MODELS] = _get("Served models", {"type": "object", "required": ["models"]})
    paths[routes.V2_SERVER] = _get("Server metadata", {"type": "object", "required": ["name"]})
    for route, title in (
        (routes.LIVEZ, "Liveness"),
        (routes.READYZ, "Readiness"),
        (routes.V2_LIVE, "Liveness, Open Inference Protocol"),
        (routes.V2_READY, "Readiness, Open Inference Protocol"),
    ):
        paths[route] = _get(title, None, others=(503,))
    for model in models:
        paths |= _model_paths(model, text, settings)
    root = paths.setdefault(routes.ROOT, {})
    root["get"] = _operation("The page on which a person tries the models", None)
    return {
        "openapi": "3.0.2",
        "info": {
            "title": "nlpserve",
            "version": __version__,
            "description": "Text classifiers. Errors are application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": _components(inner),
    }


def _components(inner: Mapping[str, Any]) -> Json:
    components: Json = dict(inner.get("components", {}))
    schemas = dict(components.get("schemas", {}))
    schemas["Problem"] = {
        "type": "object",
        "required": ["type", "title", "status", "detail", "request_id"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
        },
    }
    return {**components, "schemas": schemas}


def _model_paths(model: ServedModel, text: Json, settings: Settings) -> Json:
    scores = {
        "type": "object",
        "required": list(model.labels),
        "properties": {label: {"type": "number"} for label in model.labels},
    }
    label = {"type": "string", "enum": list(model.labels)}
    texts = {"type": "array", "items": text, "minItems": 1, "maxItems": settings.max_texts}
    answer = {
        "type": "object",
        "required": ["label", "scores"],
        "properties": {"label": label, "scores": scores},
    }
    answers = {
        "type": "object",
        "required": ["model", "version", "predictions"],
        "properties": {"predictions": {"type": "array", "items": answer}},
    }
    v2 = routes.V2_MODEL.format(model=model.name)
    paths: Json = {
        routes.V1_MODEL.format(model=model.name): _get(
            f"Facts of {model.name}", {"type": "object"}
        ),
        routes.V1_CLASSIFY.format(model=model.name): _post(
            f"Classify with {model.name}", _object(texts=texts), answers
        ),
        v2: _get(f"Metadata of {model.name}", {"type": "object"}),
        v2 + "/ready": _get(f"Readiness of {model.name}", None, others=(503,)),
        v2 + "/infer": _post(f"Infer with {model.name}", _infer(text), {"type": "object"}),
    }
    if model.name == "intent":
        operation = _operation("French intents", scores, others=(413, 422, 503))
        operation["parameters"] = [
            {"name": "sentence", "in": "query", "required": True, "schema": text}
        ]
        paths[routes.INTENT] = {"get": operation}
    if model.name == "emotion":
        paths[routes.ROOT] = _post(
            "English emotions", _object(comment=text), _object(prediction=label)
        )
        paths[routes.ROOT]["post"]["responses"]["400"] = {
            "description": "Not the expected JSON",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    return paths


def _infer(text: Json) -> Json:
    tensor = {
        "type": "object",
        "required": ["name", "datatype", "shape", "data"],
        "properties": {
            "name": {"type": "string", "enum": ["text"]},
            "datatype": {"type": "string", "enum": ["BYTES"]},
            "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
            "data": {"type": "array", "items": text, "minItems": 1},
        },
    }
    return _object(inputs={"type": "array", "items": tensor, "minItems": 1, "maxItems": 1})


def _object(**properties: Json) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties}


def _get(title: str, schema: Json | None, others: Sequence[int] = ()) -> Json:
    return {"get": _operation(title, schema, others)}


def _post(title: str, body: Json, answer: Json) -> Json:
    operation = _operation(title, answer, (400, 408, 413, 415, 422, 500, 503))
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": body}},
    }
    return {"post": operation}


def _operation(title: str, schema: Json | None, others: Sequence[int] = ()) -> Json:
    good: Json = {"description": title}
    if schema is not None:
        good["content"] = {"application/json": {"schema": schema}}
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    responses: Json = {"200": good}
    for status in others:
        responses[str(status)] = {
            "description": "See the problem's detail",
            "content": {PROBLEM_MEDIA_TYPE: problem},
        }
    return {"summary": title, "responses": responses}

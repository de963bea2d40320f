"""The OpenAPI document: our routes, built from the served models, beside BentoML's own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bento.runtime import ServedModel
from bento.settings import Settings
from nlpserve import __version__, routes
from nlpserve.errors import PROBLEM_MEDIA_TYPE

Json = dict[str, Any]
_KEY_SCHEMES: Final[Json] = {
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def document(settings: Settings, models: Sequence[ServedModel], inner: Mapping[str, Any]) -> Json:
    """OpenAPI 3.0.2, as BentoML writes it, with both sets of paths."""
    text = {
        "type": "string",
        "minLength": 1,
        "maxLength": settings.max_characters,
        "pattern": r"[^\s\x1c-\x1f\x85]",  # what Python does not take for white space
    }
    paths: Json = {}
    if models and routes.BENTO_CLASSIFY in inner.get("paths", {}):
        paths[routes.BENTO_CLASSIFY] = _native(models, text, settings)
    paths[routes.V1_MODELS] = _get("Served models", {"type": "object", "required": ["models"]})
    paths[routes.V2_SERVER] = _get("Server metadata", {"type": "object", "required": ["name"]})
    for route, title, content_type in (
        (routes.LIVEZ, "Liveness", "text/plain"),
        (routes.READYZ, "Readiness", "text/plain"),
        (routes.V2_LIVE, "Liveness, Open Inference Protocol", "application/json"),
        (routes.V2_READY, "Readiness, Open Inference Protocol", "application/json"),
    ):
        paths[route] = _probe(title, content_type)
    for model in models:
        paths |= _model_paths(model, text, settings)
    root = paths.setdefault(routes.ROOT, {})
    root["get"] = _operation("The page on which a person tries the models", None)
    root["get"]["responses"]["200"]["content"] = {"text/html": {}}
    wants_key = bool(settings.api_keys.get_secret_value() or settings.api_keys_file)
    return {
        "openapi": "3.0.2",
        "info": {
            "title": "nlpserve",
            "version": __version__,
            "description": "Text classifiers. Errors are application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": _components(inner),
        "security": [{name: []} for name in _KEY_SCHEMES] if wants_key else [],
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
    return {**components, "schemas": schemas, "securitySchemes": _KEY_SCHEMES}


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
            f"Classify with {model.name}", _request(texts=texts), answers
        ),
        v2: _get(f"Metadata of {model.name}", {"type": "object"}),
        v2 + "/ready": _probe(f"Readiness of {model.name}", "application/json"),
        v2 + "/infer": _post(f"Infer with {model.name}", _infer(text), {"type": "object"}),
    }
    if model.name == "intent":
        operation = _operation("French intents", scores, others=(400, 413, 422, 500, 503))
        operation["parameters"] = [
            {"name": "sentence", "in": "query", "required": True, "schema": text}
        ]
        paths[routes.INTENT] = {"get": operation}
    if model.name == "emotion":
        paths[routes.ROOT] = _post(
            "English emotions", _request(comment=text), _object(prediction=label)
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
            "shape": {
                "type": "array",
                "items": {"type": "integer", "minimum": 0},
                "minItems": 1,
                "maxItems": 2,
            },
            "data": {"type": "array", "items": text, "minItems": 1},
        },
    }
    return _object(inputs={"type": "array", "items": tensor, "minItems": 1, "maxItems": 1})


def _native(models: Sequence[ServedModel], text: Json, settings: Settings) -> Json:
    """BentoML's route as it answers here; BentoML's own words for it know no limits."""
    body = _request(
        texts={"type": "array", "items": text, "minItems": 1, "maxItems": settings.max_texts},
        model={"type": "string", "enum": [model.name for model in models], "default": "intent"},
    )
    body["required"] = ["texts"]
    answer = _object(
        label={"type": "string"},
        scores={"type": "object", "additionalProperties": {"type": "number"}},
    )
    item = _post("Classify as BentoML's clients do", body, {"type": "array", "items": answer})
    item["post"]["responses"]["404"] = _problem()
    return item


def _request(**properties: Json) -> Json:
    return {**_object(**properties), "additionalProperties": False}


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
    responses: Json = {"200": good}
    for status in others:
        responses[str(status)] = _problem()
    return {"summary": title, "responses": responses}


def _probe(title: str, content_type: str) -> Json:
    item = _get(title, None)
    for status, word in (("200", "Yes"), ("503", "No")):
        item["get"]["responses"][status] = {"description": word, "content": {content_type: {}}}
    return item


def _problem() -> Json:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": "See the problem's detail",
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
    }

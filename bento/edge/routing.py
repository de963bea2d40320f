"""The table of routes: exact paths only, so that finding one is one look-up."""

from collections.abc import Mapping
from typing import Any, Final

from bento.edge import inference, origin, system, v1
from bento.edge.messages import Handler
from bento.edge.openapi import document
from bento.runtime import Runtime
from nlpserve import routes
from nlpserve.errors import NotFound

Methods = dict[str, Handler]
STATIC_CONTENT: Final = "/static_content/"
BENTO_SCHEMA: Final = "/schema.json"


class Routes:
    """Path → method → handler, and what BentoML answers."""

    def __init__(self, exact: dict[str, Methods], models: tuple[str, ...]) -> None:
        """`models` are the served names, for the words of a 404."""
        self.exact = exact
        self._models = models

    def is_open(self, method: str, path: str) -> bool:
        """Whether the path is answered without a key: probes, metrics, and the pages' own files.

        The pages hold nothing secret, and without them a browser has no place to enter a key.
        """
        if path in _PAGES:
            return method in ("GET", "HEAD")
        return (
            path in routes.PROBES
            or path.startswith(STATIC_CONTENT)
            or (path.startswith(routes.V2_SERVER) and path.endswith("/ready"))
        )

    def inner_methods(self, path: str) -> tuple[str, ...]:
        """The methods that BentoML's application answers on this path; none when it is not its."""
        if path == routes.BENTO_CLASSIFY:
            return ("POST",)
        if path == BENTO_SCHEMA or path.startswith(STATIC_CONTENT):
            return ("GET", "HEAD")
        return ()

    def inner_label(self, path: str) -> str:
        """The metric label of a path that BentoML answers."""
        return STATIC_CONTENT if path.startswith(STATIC_CONTENT) else path

    def not_found(self, path: str) -> NotFound:
        """The 404 for a path that is no route; a wrong model's name is told apart."""
        for prefix in (routes.V1_MODELS + "/", routes.V2_SERVER + "/models/"):
            if path.startswith(prefix):
                return NotFound(
                    f"No such route or model; this server serves {', '.join(self._models)}."
                )
        if path.rstrip("/") == routes.INTENT:
            return NotFound(f"This server does not serve the model {origin.INTENT_MODEL}.")
        return NotFound("There is no such route; see /docs.")


_PAGES: Final = frozenset({routes.ROOT, routes.DOCS, routes.OPENAPI})


def build_routes(runtime: Runtime, inner_openapi: Mapping[str, Any]) -> Routes:
    """Routes of the models that the runtime serves now."""
    limits = runtime.limits
    exact: dict[str, Methods] = {}

    def get(path: str, handler: Handler) -> None:
        exact.setdefault(path, {}).update(GET=handler, HEAD=handler)

    def post(path: str, handler: Handler) -> None:
        exact.setdefault(path, {}).update(POST=handler)

    get(routes.ROOT, system.file_handler("page.html", routes.ROOT))
    get(routes.DOCS, system.file_handler("docs.html", routes.DOCS))
    openapi = document(runtime.settings, tuple(runtime.models.values()), inner_openapi)
    get(routes.OPENAPI, system.json_handler(openapi, routes.OPENAPI))
    get(routes.METRICS, system.metrics_handler(runtime))
    for route in (routes.LIVEZ, routes.HEALTHZ, routes.V2_LIVE):
        get(route, system.live_handler(runtime, route))
    for route in (routes.READYZ, routes.V2_READY):
        get(route, system.ready_handler(runtime, route))
    get(routes.V1_MODELS, v1.models_handler(runtime))
    get(routes.V2_SERVER, inference.server_handler())
    for name, model in runtime.models.items():
        get(routes.V1_MODEL.format(model=name), v1.model_handler(model, runtime))
        post(routes.V1_CLASSIFY.format(model=name), v1.classify_handler(model, limits))
        for base in (
            routes.V2_MODEL.format(model=name),
            routes.V2_VERSION.format(model=name, version=model.manifest.version),
        ):
            get(base, inference.metadata_handler(model))
            get(base + "/ready", inference.ready_handler(model, runtime))
            post(base + "/infer", inference.infer_handler(model, limits))
    if origin.INTENT_MODEL in runtime.models:
        handler = origin.IntentRoute(runtime.models[origin.INTENT_MODEL], limits)
        get(routes.INTENT, handler)
        get(routes.INTENT + "/", handler)
    if origin.EMOTION_MODEL in runtime.models:
        post(
            routes.ROOT,
            origin.comment_handler(runtime.models[origin.EMOTION_MODEL], limits),
        )
    return Routes(exact, tuple(runtime.models))

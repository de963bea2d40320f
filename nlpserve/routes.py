"""Route templates: the only spellings that appear as the `route` label of a metric."""

from typing import Final

INTENT: Final = "/api/intent"
ROOT: Final = "/"
V1_MODELS: Final = "/v1/models"
V1_MODEL: Final = "/v1/models/{model}"
V1_CLASSIFY: Final = "/v1/models/{model}/classify"
V2_SERVER: Final = "/v2"
V2_LIVE: Final = "/v2/health/live"
V2_READY: Final = "/v2/health/ready"
V2_MODEL: Final = "/v2/models/{model}"
V2_MODEL_READY: Final = "/v2/models/{model}/ready"
V2_VERSION: Final = "/v2/models/{model}/versions/{version}"
V2_INFER: Final = "/v2/models/{model}/infer"
BENTO_CLASSIFY: Final = "/classify"
DOCS: Final = "/docs"
OPENAPI: Final = "/docs.json"
METRICS: Final = "/metrics"
LIVEZ: Final = "/livez"
HEALTHZ: Final = "/healthz"
READYZ: Final = "/readyz"

UNMATCHED: Final = "unmatched"
"""Label for every path that no route answers, so that paths never make new series."""

PROBES: Final = frozenset({LIVEZ, READYZ, HEALTHZ, METRICS, V2_LIVE, V2_READY, V2_MODEL_READY})
"""Answered without a key and never counted as requests."""


def predictions(model: str) -> tuple[str, ...]:
    """Templates of the routes that classify with a model; the origin's two have one more each."""
    own = {"intent": (INTENT,), "emotion": (ROOT,)}
    return (V1_CLASSIFY, V2_INFER, BENTO_CLASSIFY, *own.get(model, ()))

"""The routes of the Open Inference Protocol v2."""

from typing import Final

from bento.edge.body import is_json, read_body
from bento.edge.messages import JSON, Handler, Request, Response, json_response
from bento.edge.tensors import read_texts, split_body, wanted_outputs, write_outputs
from bento.limits import Limits, check_texts
from bento.runtime import Runtime, ServedModel
from nlpserve import __version__, routes
from nlpserve.errors import UnsupportedMediaType

HEADER_LENGTH: Final = b"inference-header-content-length"
BINARY: Final = b"application/octet-stream"


def server_handler() -> Handler:
    """GET /v2."""

    async def get_server(request: Request) -> Response:
        request.route = routes.V2_SERVER
        return json_response(
            {"name": "nlpserve", "version": __version__, "extensions": ["binary_tensor_data"]}
        )

    return get_server


def metadata_handler(model: ServedModel) -> Handler:
    """GET /v2/models/{model}."""
    metadata = {
        "name": model.name,
        "versions": [model.manifest.version],
        "platform": f"nlpserve_{model.manifest.kind}",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "scores", "datatype": "FP32", "shape": [-1, len(model.labels)]},
        ],
        "parameters": {"labels": list(model.labels)},
    }

    async def get_metadata(request: Request) -> Response:
        request.model = model.name
        request.route = routes.V2_MODEL
        return json_response(metadata)

    return get_metadata


def ready_handler(model: ServedModel, runtime: Runtime) -> Handler:
    """GET /v2/models/{model}/ready."""

    async def get_ready(request: Request) -> Response:
        request.route = routes.V2_MODEL_READY
        ready = runtime.ready and model.batcher.alive
        return json_response({"name": model.name, "ready": ready}, 200 if ready else 503)

    return get_ready


def infer_handler(model: ServedModel, limits: Limits) -> Handler:
    """POST /v2/models/{model}/infer."""

    async def infer(request: Request) -> Response:
        request.model = model.name
        request.route = routes.V2_INFER
        body = await read_body(request, limits)
        declared = request.headers.get(HEADER_LENGTH)
        if declared is None and b"content-type" in request.headers and not is_json(request):
            raise UnsupportedMediaType(
                "Send JSON, or binary tensors with Inference-Header-Content-Length."
            )
        header, binary = split_body(body, declared, limits)
        texts = read_texts(header, binary)
        check_texts(texts, "text", limits)
        wanted = wanted_outputs(header)
        predictions = await model.classify(texts, request.left)
        facts = {"model_name": model.name, "model_version": model.manifest.version}
        if isinstance(header.get("id"), str):
            facts["id"] = header["id"]
        encoded, blobs = write_outputs(facts, wanted, model.labels, predictions)
        if not blobs:
            return Response(encoded, JSON)
        length = ((HEADER_LENGTH, str(len(encoded)).encode()),)
        return Response(encoded + blobs, BINARY, headers=length)

    return infer

"""The Open Inference Protocol v2: JSON tensors and Triton's binary tensor extension.

One input `text`, BYTES [n]; outputs `label`, BYTES [n], and `scores`, FP32 [n, labels].
"""

from typing import Any, Final

import numpy as np
import orjson

from bento.batching import Prediction
from bento.edge.body import is_json, parse_json, read_body
from bento.edge.binary import decode_strings, encode_strings
from bento.edge.messages import JSON, Handler, Request, Response, json_response
from bento.limits import Limits, check_texts
from bento.runtime import Runtime, ServedModel
from nlpserve import __version__, routes
from nlpserve.errors import InvalidRequest, UnprocessableRequest, UnsupportedMediaType

HEADER_LENGTH: Final = b"inference-header-content-length"
BINARY: Final = b"application/octet-stream"
OUTPUTS: Final = ("label", "scores")


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
        header, binary = _split(request, await read_body(request, limits), limits)
        texts = _texts(header, binary)
        check_texts(texts, "text", limits)
        wanted = _wanted(header)
        predictions = await model.classify(texts)
        return _respond(model, header.get("id"), wanted, predictions)

    return infer


def _split(request: Request, body: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """The JSON header and the binary tensors that follow it."""
    declared = request.headers.get(HEADER_LENGTH)
    if declared is None:
        if not is_json(request) and request.headers.get(b"content-type") is not None:
            raise UnsupportedMediaType(
                "Send JSON, or binary tensors with Inference-Header-Content-Length."
            )
        length = len(body)
    elif declared.isdigit() and int(declared) <= len(body):
        length = int(declared)
    else:
        raise InvalidRequest("Inference-Header-Content-Length is not within the body.")
    header = parse_json(body[:length], limits)
    if not isinstance(header, dict):
        raise UnprocessableRequest("The request must be an object with inputs.")
    return header, body[length:]


def _texts(header: dict[str, Any], binary: bytes) -> list[str]:
    inputs = header.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise UnprocessableRequest("inputs must hold one tensor, named text.")
    tensor = inputs[0]
    if tensor.get("name") != "text":
        raise UnprocessableRequest("inputs[0].name must be text.")
    if tensor.get("datatype") != "BYTES":
        raise UnprocessableRequest("inputs[0].datatype must be BYTES.")
    shape = tensor.get("shape")
    if not isinstance(shape, list) or not all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape
    ):
        raise UnprocessableRequest("inputs[0].shape must be a list of sizes.")
    count = int(np.prod([float(size) for size in shape]))
    if len(shape) not in (1, 2) or (len(shape) == 2 and 1 not in shape):
        raise UnprocessableRequest("inputs[0].shape must be [n], [n, 1] or [1, n].")
    texts = _tensor_texts(tensor, binary)
    if len(texts) != count:
        raise UnprocessableRequest(
            f"inputs[0].shape is of {count} texts, but its data holds {len(texts)}."
        )
    return texts


def _tensor_texts(tensor: dict[str, Any], binary: bytes) -> list[str]:
    parameters = tensor.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is not None:
        if size != len(binary):
            raise UnprocessableRequest(
                f"inputs[0] declares {size!s:.20} bytes of data, but {len(binary)} came."
            )
        return decode_strings(binary)
    data = tensor.get("data")
    if not isinstance(data, list):
        raise UnprocessableRequest("inputs[0].data must be a list of strings.")
    flat = [item for row in data for item in (row if isinstance(row, list) else [row])]
    if not all(isinstance(item, str) for item in flat):
        raise UnprocessableRequest("inputs[0].data must be a list of strings.")
    return flat


def _wanted(header: dict[str, Any]) -> dict[str, bool]:
    """Wanted output → whether in binary. All of them, unless the request names some."""
    parameters = header.get("parameters")
    binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    outputs = header.get("outputs")
    if outputs is None or outputs == []:
        return dict.fromkeys(OUTPUTS, binary)
    if not isinstance(outputs, list):
        raise UnprocessableRequest("outputs must be a list.")
    wanted: dict[str, bool] = {}
    for position, output in enumerate(outputs):
        name = output.get("name") if isinstance(output, dict) else None
        if name not in OUTPUTS:
            raise UnprocessableRequest(f"outputs[{position}].name must be label or scores.")
        own = output.get("parameters")
        choice = own.get("binary_data") if isinstance(own, dict) else None
        wanted[name] = choice if isinstance(choice, bool) else binary
    return wanted


def _respond(
    model: ServedModel, identity: object, wanted: dict[str, bool], predictions: list[Prediction]
) -> Response:
    labels = [model.labels[prediction.top] for prediction in predictions]
    scores = np.asarray([prediction.scores for prediction in predictions], dtype="<f4")
    outputs: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for name, binary in wanted.items():
        is_label = name == "label"
        tensor: dict[str, Any] = {
            "name": name,
            "datatype": "BYTES" if is_label else "FP32",
            "shape": [len(labels)] if is_label else list(scores.shape),
        }
        if binary:
            blobs.append(encode_strings(labels) if is_label else scores.tobytes())
            tensor["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            tensor["data"] = labels if is_label else scores.ravel().tolist()
        outputs.append(tensor)
    header: dict[str, Any] = {
        "model_name": model.name,
        "model_version": model.manifest.version,
        "outputs": outputs,
    }
    if isinstance(identity, str):
        header["id"] = identity
    encoded = orjson.dumps(header)
    if not blobs:
        return Response(encoded, JSON)
    length = ((HEADER_LENGTH, str(len(encoded)).encode()),)
    return Response(b"".join([encoded, *blobs]), BINARY, headers=length)

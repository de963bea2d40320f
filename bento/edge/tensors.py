"""Tensors of the Open Inference Protocol v2: texts in, labels and scores out.

Input `text`, BYTES [n]; outputs `label`, BYTES [n], and `scores`, FP32 [n, labels]. Each travels
as JSON, or in binary behind the JSON header: Triton's binary tensor extension.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import orjson

from bento.edge.binary import decode_strings, encode_strings
from bento.edge.body import parse_json, whole_number
from bento.limits import Limits
from bento.pending import Prediction
from nlpserve.errors import InvalidRequest, UnprocessableRequest

OUTPUTS: Final = ("label", "scores")

Header = dict[str, Any]
"""The JSON object of a request or an answer."""


def split_body(body: bytes, declared: bytes | None, limits: Limits) -> tuple[Header, bytes]:
    """The JSON header, and the binary tensors that follow its `declared` length.

    Raises InvalidRequest when the length is not within the body, and as `parse_json` does.
    """
    length = len(body) if declared is None else whole_number(declared)
    if length is None or length > len(body):
        raise InvalidRequest("Inference-Header-Content-Length is not within the body.")
    header = parse_json(body[:length], limits)
    if not isinstance(header, dict):
        raise UnprocessableRequest("The request must be an object with inputs.")
    return header, body[length:]


def read_texts(header: Header, binary: bytes) -> list[str]:
    """The texts of the one input.

    Raises UnprocessableRequest for whatever the protocol does not allow, InvalidRequest for a
    binary text that is not UTF-8.
    """
    inputs = header.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise UnprocessableRequest("inputs must hold one tensor, named text.")
    tensor = inputs[0]
    if tensor.get("name") != "text":
        raise UnprocessableRequest("inputs[0].name must be text.")
    if tensor.get("datatype") != "BYTES":
        raise UnprocessableRequest("inputs[0].datatype must be BYTES.")
    count = _count(tensor.get("shape"))
    size = _member(tensor, "binary_data_size")
    if size is None and binary:
        raise UnprocessableRequest(f"{len(binary)} bytes came that no tensor declares.")
    texts = _listed(tensor.get("data")) if size is None else _binary(size, binary)
    if len(texts) != count:
        raise UnprocessableRequest(
            f"inputs[0].shape is of {count} texts, but its data holds {len(texts)}."
        )
    return texts


def wanted_outputs(header: Header) -> dict[str, bool]:
    """Wanted output → whether in binary. All of them, unless the request names some."""
    binary = _member(header, "binary_data_output") is True
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
        choice = _member(output, "binary_data")
        wanted[name] = choice if isinstance(choice, bool) else binary
    return wanted


def write_outputs(
    facts: Header,
    wanted: Mapping[str, bool],
    labels: Sequence[str],
    predictions: Sequence[Prediction],
) -> tuple[bytes, bytes]:
    """The JSON header, which begins with `facts`, and the binary tensors behind it."""
    winners = [labels[prediction.top] for prediction in predictions]
    scores = np.asarray([prediction.scores for prediction in predictions], dtype="<f4")
    outputs: list[Header] = []
    blobs: list[bytes] = []
    for name, binary in wanted.items():
        is_label = name == "label"
        tensor: Header = {
            "name": name,
            "datatype": "BYTES" if is_label else "FP32",
            "shape": [len(winners)] if is_label else list(scores.shape),
        }
        if binary:
            blobs.append(encode_strings(winners) if is_label else scores.tobytes())
            tensor["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            tensor["data"] = winners if is_label else scores.ravel().tolist()
        outputs.append(tensor)
    return orjson.dumps({**facts, "outputs": outputs}), b"".join(blobs)


def _count(shape: object) -> int:
    if not isinstance(shape, list) or not all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape
    ):
        raise UnprocessableRequest("inputs[0].shape must be a list of sizes.")
    if len(shape) not in (1, 2) or (len(shape) == 2 and 1 not in shape):
        raise UnprocessableRequest("inputs[0].shape must be [n], [n, 1] or [1, n].")
    return math.prod(shape)


def _binary(size: object, binary: bytes) -> list[str]:
    if not isinstance(size, int) or isinstance(size, bool):
        raise UnprocessableRequest("inputs[0].parameters.binary_data_size must be a whole number.")
    if size != len(binary):
        raise UnprocessableRequest(
            f"inputs[0] declares {size} bytes of data, but {len(binary)} came."
        )
    return decode_strings(binary)


def _listed(data: object) -> list[str]:
    if isinstance(data, list):
        flat = [item for row in data for item in (row if isinstance(row, list) else [row])]
        if all(isinstance(item, str) for item in flat):
            return flat
    raise UnprocessableRequest("inputs[0].data must be a list of strings.")


def _member(tensor: Header, name: str) -> object:
    """A member of the tensor's or request's parameters, or None."""
    parameters = tensor.get("parameters")
    return parameters.get(name) if isinstance(parameters, dict) else None

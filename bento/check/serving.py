"""What a served model must do: answer rightly on each route, keep its limits, count."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from bento.check.client import Answer, CheckFailed, Client
from nlpserve import metrics, routes
from nlpserve.errors import PROBLEM_MEDIA_TYPE

CLOSE: Final = 0.01
"""Scores of one text add up to 1, this near."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A model, and a text with the label it must get; an empty label stands for any."""

    model: str
    text: str
    label: str = ""
    key_wanted: bool = False


Check = Callable[[Client, Expected], str]


def check_classify(client: Client, expected: Expected) -> str:
    """The product's own route."""
    path = routes.V1_CLASSIFY.format(model=expected.model)
    answer = _expect(client.post(path, {"texts": [expected.text]}), 200).json()
    (prediction,) = answer["predictions"]
    scores: dict[str, float] = prediction["scores"]
    labels = _facts(client, expected)["labels"]
    if sorted(scores) != sorted(labels):
        raise CheckFailed(f"scores are of {sorted(scores)}, but the labels are {sorted(labels)}")
    if abs(sum(scores.values()) - 1) > CLOSE:
        raise CheckFailed(f"the scores add up to {sum(scores.values()):g}")
    if prediction["label"] != max(scores, key=lambda label: scores[label]):
        raise CheckFailed(f"the label {prediction['label']} does not have the highest score")
    _same_label(prediction["label"], expected)
    return f"{expected.text!r} is {prediction['label']}, version {answer['version']}"


def check_inference_protocol(client: Client, expected: Expected) -> str:
    """Open Inference Protocol v2."""
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [expected.text]}
    path = routes.V2_INFER.format(model=expected.model)
    answer = _expect(client.post(path, {"inputs": [tensor]}), 200).json()
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    _same_label(outputs["label"][0], expected)
    return f"{path} says the same"


def check_origin_routes(client: Client, expected: Expected) -> str:
    """The two routes that only the models of these names have."""
    if expected.model == "intent":
        path = f"{routes.INTENT}?sentence={quote(expected.text)}"
        scores = _expect(client.get(path), 200).json()
        _same_label(max(scores, key=lambda label: scores[label]), expected)
        return f"GET {routes.INTENT} says the same"
    if expected.model == "emotion":
        answer = _expect(client.post(routes.ROOT, {"comment": expected.text}), 200)
        _same_label(answer.json()["prediction"], expected)
        return f"POST {routes.ROOT} says the same"
    return "none for this model"


def check_limits(client: Client, expected: Expected) -> str:
    """Whatever is over a limit gets 413 with the limit's name."""
    limits = _facts(client, expected)["limits"]
    path = routes.V1_CLASSIFY.format(model=expected.model)
    bodies: dict[str, object] = {
        "max_texts": {"texts": ["a"] * (limits["max_texts"] + 1)},
        "max_characters": {"texts": ["a" * (limits["max_characters"] + 1)]},
        "max_json_depth": b"[" * (limits["max_json_depth"] + 1),
    }
    for name, body in bodies.items():
        answer = client.post(path, body)
        if answer.status == 413 and "max_body_bytes" in answer.body.decode():
            continue  # the smaller limit came first
        _problem(answer, 413, f"({name})")
    size = limits["max_body_bytes"] + 1
    _problem(client.announce(path, size), 413, "(max_body_bytes)")
    return ", ".join(f"{name} {limits[name]}" for name in (*bodies, "max_body_bytes"))


def check_wrong_requests(client: Client, expected: Expected) -> str:
    """What cannot be answered is refused with a problem document."""
    path = routes.V1_CLASSIFY.format(model=expected.model)
    _problem(client.post(path, b"not JSON"), 400, "JSON")
    _problem(client.post(path, {"texts": [""]}), 422, "empty")
    _problem(client.post(path, {"texts": 1}), 422, "texts")
    _problem(client.post(path, b"text", media_type="text/plain"), 415, "application/json")
    _problem(client.get(path), 405, "POST")
    _problem(client.get(routes.V1_MODEL.format(model="no-such-model")), 404, expected.model)
    return "400, 404, 405, 415, 422"


def check_key(client: Client, expected: Expected) -> str:
    """Without its key a server that wants one answers nobody."""
    path = routes.V1_CLASSIFY.format(model=expected.model)
    answer = client.post(path, {"texts": [expected.text]}, with_key=False)
    if expected.key_wanted:
        _problem(answer, 401, "key")
        return "401 without the key"
    _expect(answer, 200)
    return "none wanted"


def check_metrics(client: Client, expected: Expected) -> str:
    """Every documented metric is there, and a request is counted."""
    path = routes.V1_CLASSIFY.format(model=expected.model)
    before = _count(_metrics(client), expected)
    _expect(client.post(path, {"texts": [expected.text]}), 200)
    text = _metrics(client)
    found = set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
    names = _metric_names()
    if missing := {name for name in names if not {name, f"{name}_total"} & found}:
        raise CheckFailed(f"{routes.METRICS} does not hold {', '.join(sorted(missing))}")
    if _count(text, expected) < before + 1:
        raise CheckFailed(f"{metrics.REQUESTS}_total did not count a request")
    return f"{len(names)} names, requests counted"


CHECKS: Final[Mapping[str, Check]] = {
    "classify": check_classify,
    "inference protocol": check_inference_protocol,
    "origin's route": check_origin_routes,
    "limits": check_limits,
    "wrong requests": check_wrong_requests,
    "API key": check_key,
    "metrics": check_metrics,
}


def run_checks(client: Client, expected: Expected) -> Iterator[tuple[str, str, bool]]:
    """Name, finding and success of each check."""
    for name, check in CHECKS.items():
        try:
            yield name, check(client, expected), True
        except CheckFailed as error:
            yield name, str(error), False
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            yield name, f"an answer of another form: {error!r}", False


def _metric_names() -> set[str]:
    constants = vars(metrics).values()
    found = {name for name in constants if isinstance(name, str)}
    return {name for name in found if name.startswith(metrics.PREFIX)} - {metrics.PREFIX}


def _facts(client: Client, expected: Expected) -> dict[str, Any]:
    path = routes.V1_MODEL.format(model=expected.model)
    facts: dict[str, Any] = _expect(client.get(path), 200).json()
    return facts


def _metrics(client: Client) -> str:
    return _expect(client.get(routes.METRICS), 200).body.decode()


def _count(text: str, expected: Expected) -> float:
    """Requests answered with 200 on the product's own route."""
    labels = {"code": "200", "model": expected.model, "route": routes.V1_CLASSIFY}
    for line in text.splitlines():
        name, _, rest = line.partition("{")
        inside, _, value = rest.rpartition("} ")
        if name == f"{metrics.REQUESTS}_total" and (
            dict(re.findall(r'(\w+)="([^"]*)"', inside)) == labels
        ):
            return float(value)
    return 0.0


def _expect(answer: Answer, status: int) -> Answer:
    if answer.status != status:
        raise CheckFailed(f"status {answer.status} instead of {status}: {answer.body[:300]!r}")
    return answer


def _problem(answer: Answer, status: int, word: str) -> None:
    """Check that the answer is a problem document of this status whose detail has this word."""
    problem = _expect(answer, status).json()
    if answer.headers.get("content-type") != PROBLEM_MEDIA_TYPE:
        raise CheckFailed(f"{status} came as {answer.headers.get('content-type')}")
    if word not in problem["detail"]:
        raise CheckFailed(f"the detail of {status} does not say {word!r}: {problem['detail']!r}")


def _same_label(found: str, expected: Expected) -> None:
    if expected.label and found != expected.label:
        raise CheckFailed(f"{expected.text!r} is {found} instead of {expected.label}")

"""Through the chart's Ingress: what it leads on is enough, and what it hides stays hidden."""

import re
import subprocess
from urllib.parse import urlsplit

import pytest
import requests

from tests.chart.rendering import CHART, NAMESPACE, RELEASE, find, objects, program, run
from tests.service.browser import browser
from tests.service.proxy import proxy

INGRESS = {"ingress": {"enabled": True, "host": "models.example.com"}}


def paths() -> list[dict[str, str]]:
    found = find(objects(values=INGRESS), "Ingress", f"{RELEASE}-nlpserve")
    return found["spec"]["rules"][0]["http"]["paths"]


def leads(rules: list[dict[str, str]], path: str) -> bool:
    """As the Ingress API defines the two types: a prefix matches whole elements."""
    asked = urlsplit(path).path
    return any(
        asked == rule["path"]
        or (rule["pathType"] == "Prefix" and asked.startswith(rule["path"] + "/"))
        for rule in rules
    )


@pytest.fixture(scope="module")
def ingress(server):
    rules = paths()
    with proxy(server.url, lambda path: path if leads(rules, path) else None) as url:
        yield url


@pytest.mark.parametrize(
    "path",
    [
        "/metrics", "/livez", "/readyz", "/healthz", "/v2", "/v2/health/ready", "/v2/health/live",
        "/v1/models", "/v1/models/intentional", "/classify", "/docs", "/docs.json", "/schema.json",
        "/api", "/api/intent/more",
    ],
)  # fmt: skip
def test_what_is_inside_stays_inside(ingress, path):
    assert requests.get(ingress + path, timeout=20).headers.get("x-request-id") is None
    assert requests.get(ingress + path, timeout=20).status_code == 404


def test_the_prediction_routes_answer(ingress):
    for model, language in (("intent", "fr"), ("emotion", "en")):
        url = f"{ingress}/v1/models/{model}"
        assert requests.get(url, timeout=20).json()["language"] == language
        answer = requests.post(f"{url}/classify", json={"texts": ["a"]}, timeout=20)
        assert len(answer.json()["predictions"]) == 1
        tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}
        url = f"{ingress}/v2/models/{model}/infer"
        assert requests.post(url, json={"inputs": [tensor]}, timeout=20).status_code == 200
    for path in ("/api/intent", "/api/intent/"):
        answer = requests.get(ingress + path, {"sentence": "un train"}, timeout=20)
        assert "find-train" in answer.json()
    answer = requests.post(ingress, json={"comment": "Thank you!"}, timeout=20)
    assert answer.json() == {"prediction": "gratitude"}


def test_the_page_works_though_nothing_lists_the_models(ingress, tmp_path):
    with browser(tmp_path) as window:
        window.open(ingress + "/")
        window.shown("#model")
        assert window.texts("#model option") == ["intent", "emotion"]
        window.one("#text").send_keys("Je cherche un vol pour Lisbonne")
        window.one("#send").click()
        window.shown("#result")
        assert window.one(".winner").text == "find-flight"


def notes(*arguments: str) -> str:
    command = [program("helm"), "install", RELEASE, CHART, "--namespace", NAMESPACE]
    done = run([*command, "--dry-run=client", *arguments])
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("NOTES:\n")[2]


def commands(text: str) -> list[str]:
    """The calls among the printed commands, each with its continuation lines."""
    return re.findall(r"^  (curl (?:.*\\\n)*.*)$", text, re.M)


@pytest.mark.parametrize("through", ["ingress", "port-forward"])
def test_the_printed_calls_answer(server, ingress, through):
    if through == "ingress":
        printed = commands(notes("--set", "ingress.enabled=true,ingress.host=models.example.com"))
        calls = [call.replace("http://models.example.com", ingress) for call in printed]
    else:
        printed = commands(notes())
        calls = [re.sub(r"http://localhost:300[01]", server.url, call) for call in printed]
    assert len(calls) == 4
    answers = [
        subprocess.run(
            ["sh", "-c", call.replace("curl ", "curl --silent --fail --max-time 20 ", 1)],
            capture_output=True, text=True, check=True,
        ).stdout
        for call in calls
    ]  # fmt: skip
    assert calls != printed
    assert answers[0] == '{"prediction":"gratitude"}'
    assert '"label":"gratitude"' in answers[1]
    assert '"find-train":0.9' in answers[2]
    assert '"label":"find-train"' in answers[3]

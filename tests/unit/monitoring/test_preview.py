"""Every dashboard is drawn, whatever Prometheus has; what it refuses is said."""

import json
import os
import struct
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).parents[3]
BOARDS = sorted(file.stem for file in (ROOT / "monitoring/dashboards/grafana").glob("*.json"))
LABELS = {
    "namespace": "models", "model": "intent", "pod": "r-nlpserve-intent-5f-abcde", "le": "0.5",
    "scenario": "ramp", "run": "1", "label": "find-train",
}  # fmt: skip


class FakePrometheus(BaseHTTPRequestHandler):
    """Has two series for everything, one of them with a gap; or nothing; or refuses."""

    mode = "full"

    def do_GET(self):
        place, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        data, code = self.data(place.removeprefix("/api/v1/"), query), 200
        if self.mode == "refuses":
            code = 400
        body = json.dumps({"status": "success", "data": data, "error": "odd query"}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def data(self, place, query):
        found = self.mode != "empty"
        if place.startswith("label/"):
            return [LABELS[place.split("/")[1]]] if found else []
        second = {**LABELS, "le": "+Inf", "label": "other"}
        if place == "query":
            rows = [{"metric": labels, "value": [0, "0.25"]} for labels in (LABELS, second)]
            return {"resultType": "vector", "result": rows if found else []}
        start, end, step = (float(query[word][0]) for word in ("start", "end", "step"))
        times = [start + step * place for place in range(int((end - start) / step) + 1)]
        values = [[time, str(0.1 + place % 7)] for place, time in enumerate(times)]
        gap = [[time, "NaN"] if place % 5 else [time, "3"] for place, time in enumerate(times)]
        rows = [{"metric": LABELS, "values": values}, {"metric": second, "values": gap[4:]}]
        return {"resultType": "matrix", "result": rows if found else []}

    def log_message(self, *_):
        pass


@pytest.fixture
def prometheus(request):
    handler = type("Handler", (FakePrometheus,), {"mode": request.param})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def python():
    """Of the environment that can draw."""
    shared = {"VENVS": str(Path(sys.prefix).parent), **os.environ}
    words = [ROOT / "requirements" / "environment", "dashboards"]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=shared)
    return f"{done.stdout.strip()}/bin/python"


def run(*words):
    return subprocess.run(
        [python(), *words], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


def draw(url, folder):
    return run("-W", "error", "-m", "monitoring.dashboards.preview", "--url", url, "--out", folder)


@pytest.mark.parametrize("prometheus", ["full", "empty"], indirect=True)
def test_every_dashboard_becomes_one_picture(prometheus, tmp_path):
    done = draw(prometheus, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(file.stem for file in tmp_path.glob("*.png")) == BOARDS
    for file in tmp_path.glob("*.png"):
        assert str(file) in done.stdout
        width, height = struct.unpack(">II", file.read_bytes()[16:24])
        assert width == 1400
        assert height > 600


@pytest.mark.parametrize("prometheus", ["refuses"], indirect=True)
def test_what_prometheus_refuses_is_said(prometheus, tmp_path):
    done = draw(prometheus, tmp_path)
    assert done.returncode == 1
    assert "odd query" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_committed_is_what_the_generator_and_the_model_say():
    done = run("-m", "monitoring.dashboards", "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("panel", "field", "value"),
    [("fieldConfig", "defaults", {"unitt": "s"}), ("", "titel", "A")],
)
def test_what_the_model_does_not_know_is_refused(panel, field, value):
    """So that the check above can fail."""
    code = (
        "import json, sys; from monitoring.dashboards import __main__ as made\n"
        "content = json.loads(made._encoded(made.BOARDS[0].build()))\n"
        "made.refuse_unknown(content)\n"
        "panel, field, value = json.loads(sys.argv[1])\n"
        "target = content['panels'][1]; target = target[panel] if panel else target\n"
        "target[field] = value; made.refuse_unknown(content)"
    )
    done = run("-c", code, json.dumps([panel, field, value]))
    assert done.returncode == 1
    assert "is not what Grafana's model reads" in done.stderr

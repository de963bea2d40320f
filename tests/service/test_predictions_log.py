"""The prediction log on the wire: the origin's fields, text or hash, nothing by default."""

import hashlib
import hmac
import json
import time
from datetime import datetime

import requests

from tests.service.conftest import HASH_KEY, KEYS
from tests.service.harness import OWN, Server

TIME = "%Y-%m-%d %H:%M:%S:%f"


def lines_of(path, count):
    """The file's lines, once there are so many: they are written beside the answers."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if len(lines) >= count:
            return [json.loads(line) for line in lines]
        time.sleep(0.05)
    raise AssertionError(f"{len(lines)} of {count} lines")


def test_text_mode_has_the_origins_fields_on_every_route(tmp_path, topics):
    log = tmp_path / "predictions.txt"
    with Server(
        tmp_path,
        models=f"topics={topics},emotion,intent={topics}",
        predictions_log="text",
        predictions_log_file=str(log),
    ) as server:
        tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["topic2"]}
        url = server.url
        requests.post(url + "/", json={"comment": "Thanks a lot!"}, timeout=20)
        requests.get(url + "/api/intent", params={"sentence": "topic1"}, timeout=20)
        both = {"texts": ["topic3", "topic4 é\n🙏"]}
        requests.post(url + "/v1/models/topics/classify", json=both, timeout=20)
        requests.post(url + "/v2/models/topics/infer", json={"inputs": [tensor]}, timeout=20)
        requests.post(url + "/classify", json={"texts": ["topic5"]}, timeout=20)
        requests.post(url + "/", data="nothing", timeout=20)
        requests.get(url + "/nowhere", timeout=20)
        found = lines_of(log, 8)
    predictions = [line for line in found if "prediction" in line]
    assert [(line["text"], line["prediction"], line["model"]) for line in predictions] == [
        ("Thanks a lot!", "gratitude", "emotion"),
        ("topic1", "topic1", "intent"),
        ("topic3", "topic3", "topics"),
        ("topic4 é\n🙏", "topic4", "topics"),
        ("topic2", "topic2", "topics"),
        ("topic5", "topic5", "intent"),
    ]
    errors = [line for line in found if "error" in line]
    assert len(errors) == 2
    assert all(sorted(line) == ["error", "time"] for line in errors)
    times = [datetime.strptime(line["time"], TIME) for line in found]
    assert times == sorted(times)
    assert abs((datetime.now() - times[0]).total_seconds()) < 120


def test_hash_mode_never_writes_the_text(strict, strict_predictions):
    text = "topic7 is a secret"
    requests.post(
        strict.url + "/v1/models/topics/classify",
        json={"texts": [text]},
        headers={"X-API-Key": KEYS[0]},
        timeout=20,
    )
    digest = hmac.new(HASH_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    deadline = time.monotonic() + 10
    while digest not in strict_predictions.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "secret" not in strict_predictions.read_text(encoding="utf-8")
    (line,) = [line for line in lines_of(strict_predictions, 1) if line.get("text") == digest]
    assert (line["prediction"], line["model"]) == ("topic7", "topics")


def test_standard_output_for_a_cluster(tmp_path, topics):
    with Server(
        tmp_path,
        launcher=OWN,
        models=f"topics={topics}",
        predictions_log="text",
        predictions_log_file="-",
    ) as server:
        requests.post(
            server.url + "/v1/models/topics/classify", json={"texts": ["topic9"]}, timeout=20
        )
        server.stop()
        (line,) = [line for line in server.log.splitlines() if '"prediction": "topic9"' in line]
    assert json.loads(line)["text"] == "topic9"

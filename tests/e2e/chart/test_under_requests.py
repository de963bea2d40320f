"""Upgrades while somebody asks: a good one and its rollback lose nothing, a bad one neither."""

import http.client
import json
import shutil
import threading
import time

import kubectl as k
import pytest
from chart_release import volume

pytestmark = pytest.mark.skipif(
    not k.is_local(), reason="from here, Services are reached on the local cluster alone"
)
FIRST = k.ROOT / "tests" / "e2e" / "chart" / "nlpserve-first.tgz"
EMOTION_OFF = {"emotion": {"enabled": False}}
BODY = json.dumps({"texts": ["un train pour Lyon demain matin"]})


class Asking:
    """Asks about 20 times a second, each time over a new connection; keeps what went wrong."""

    def __init__(self, release):
        self.address = release.get("service", "intent")["spec"]["clusterIP"]
        self.answered = 0
        self.lost = []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def ask(self):
        connection = http.client.HTTPConnection(self.address, 80, timeout=10)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/models/intent/classify", BODY, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200 or "find-train" not in text:
            raise http.client.HTTPException(f"{answer.status} {text}")

    def run(self):
        while not self.done.wait(0.05):
            try:
                self.ask()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(f"{time.strftime('%X')} {error!r}")
            else:
                self.answered += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def test_an_upgrade_and_its_rollback_lose_no_request(release):
    release.upgrade(models=EMOTION_OFF)
    before = release.pods("intent")
    with Asking(release) as asking:
        release.upgrade(models={"intent": {"limits": {"maxTexts": 7}}, **EMOTION_OFF})
        assert not release.pods("intent") & before
        middle = asking.answered
        release.helm("rollback", release.name, "1", "--wait")
    assert asking.lost == []
    assert 0 < middle < asking.answered


def test_a_canary_is_added_promoted_and_taken_away_without_loss(release):
    release.upgrade(models=EMOTION_OFF)
    changed = {"limits": {"maxTexts": 9}}
    canary = {"canary": {"enabled": True, "overrides": changed}}
    with Asking(release) as asking:
        release.upgrade(models={"intent": canary, **EMOTION_OFF})
        assert len(release.pods("intent", "canary")) == 1
        release.upgrade(models={"intent": {**changed, **canary}, **EMOTION_OFF})
        release.upgrade(models={"intent": changed, **EMOTION_OFF})
        k.until("the canary's end", lambda: release.pods("intent", "canary") == set())
    assert asking.lost == []
    assert asking.answered > 50
    assert "max_texts 9," in release.test()


def test_an_upgrade_from_the_first_chart_loses_no_request(release):
    """FIRST is the chart as it was at first, as `helm package` made it."""
    release.upgrade(models=EMOTION_OFF, chart=FIRST)
    with Asking(release) as asking:
        release.upgrade(models=EMOTION_OFF)
    assert asking.lost == []
    assert asking.answered > 10


def test_a_model_with_a_wrong_hash_leaves_the_old_pods_serving(release, namespace, tmp_path):
    folder = tmp_path / "intent"
    shutil.copytree(k.ROOT / "bento/models/intent", folder)
    file = folder / next(iter(json.loads((folder / "manifest.json").read_bytes())["files"]))
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)
    release.upgrade(models=EMOTION_OFF)
    before = release.pods("intent")
    with volume(namespace, folder) as claim:
        artifact = {"source": "volume", "volume": {"persistentVolumeClaim": {"claimName": claim}}}
        bad = {"intent": {"artifact": artifact}, **EMOTION_OFF}
        with Asking(release) as asking:
            words = ("--timeout", "90s", "--rollback-on-failure")  # it has to crash twice
            assert release.upgrade(*words, models=bad, check=False).returncode != 0
    assert asking.lost == []
    assert asking.answered > 50
    assert release.pods("intent") == before
    events = namespace.kubectl("get", "events", "-o", "jsonpath={.items[*].reason}")
    assert "BackOff" in events


def test_an_upgrade_to_an_image_that_is_not_there_loses_no_request(release):
    release.upgrade(models=EMOTION_OFF)
    before = release.pods("intent")
    bad = {"intent": {"image": {"tag": "no-such-tag"}}, **EMOTION_OFF}
    with Asking(release) as asking:
        words = ("--timeout", "40s", "--rollback-on-failure")
        assert release.upgrade(*words, models=bad, check=False).returncode != 0
        k.until("the release as it was", lambda: status(release) == "deployed")
    assert asking.lost == []
    assert asking.answered > 50
    assert release.pods("intent") == before


def status(release):
    said = release.helm("status", release.name, "-o", "json").stdout
    return json.loads(said)["info"]["status"]

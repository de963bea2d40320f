"""A release from its install to its uninstall."""

import json
import re
import subprocess

import kubectl as k

EMOTION_OFF = {"emotion": {"enabled": False}}
KINDS = "all,configmap,ingress,networkpolicy,poddisruptionbudget,secret,serviceaccount"


def names(release):
    objects = release.namespace.get(KINDS)["items"]
    return {f"{item['kind']}/{item['metadata']['name']}" for item in objects}


def test_both_models_from_install_to_uninstall(release, ports):
    own = {"ConfigMap/kube-root-ca.crt", "ServiceAccount/default"}
    k.until("what every namespace has", lambda: own <= names(release))
    before = names(release)
    notes = release.upgrade().stdout
    assert len(release.pods("intent")) == len(release.pods("emotion")) == 1
    said = release.test()
    assert "is find-train" in said
    assert "is gratitude" in said
    assert "FAILED" not in said
    assert answers(release, notes) == {"gratitude", "find-train"}
    release.helm("uninstall", release.name, "--wait")
    k.until("nothing is left", lambda: names(release) == before, seconds=90)


def answers(release, notes):
    """Labels that the printed calls to `/v1` get, through the port-forwards as printed."""
    labels = set()
    forwards = re.findall(r"^  kubectl (--namespace .* port-forward .*) &$", notes, re.M)
    calls = re.findall(r"^  (curl http://localhost:(\d+)/v1(?:.*\\\n)*.*)$", notes, re.M)
    for words in forwards:
        port = re.search(r" (\d+):", words)[1]
        command = [k.program("kubectl"), "--kubeconfig", str(k.kubeconfig()), *words.split()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
            try:
                assert "Forwarding" in forward.stdout.readline()
                (call,) = [call for call, used in calls if used == port]
                done = subprocess.run(
                    ["sh", "-c", call], capture_output=True, text=True, timeout=30, check=True
                )
                labels.add(json.loads(done.stdout)["predictions"][0]["label"])
            finally:
                forward.terminate()
    return labels


def test_a_bad_upgrade_leaves_the_old_pods_serving_and_is_rolled_back(release):
    release.upgrade(models=EMOTION_OFF)
    serving = release.pods("intent")
    bad = {"intent": {"artifact": {"path": "/app/bento/models"}}, **EMOTION_OFF}
    done = release.upgrade("--timeout", "40s", "--rollback-on-failure", models=bad, check=False)
    assert done.returncode != 0
    assert release.pods("intent") == serving
    assert "is find-train" in release.test()
    history = json.loads(release.helm("history", release.name, "--output", "json").stdout)
    assert [entry["status"] for entry in history] == ["superseded", "failed", "deployed"]
    container = release.get("deployment", "intent")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "NLPSERVE_MODELS", "value": "intent"} in container["env"]


def test_a_release_goes_back_to_what_it_was(release):
    release.upgrade(models=EMOTION_OFF)
    release.upgrade(models={"intent": {"limits": {"maxTexts": 7}}, **EMOTION_OFF})
    assert "max_texts 7," in release.test()
    release.helm("rollback", release.name, "--wait")
    assert "max_texts 256," in release.test()


def test_a_model_in_an_image_of_its_own(release, model_image):
    release.namespace.kubectl(
        "create", "secret", "generic", "keys", "--from-literal=api-keys=one\ntwo"
    )
    mood = {
        "artifact": {"source": "imageVolume", "imageVolume": {"reference": model_image}},
        "example": {"text": "Thanks a lot, this made my day!", "label": "gratitude"},
        "apiKeys": {"existingSecret": "keys"},
        "predictionLog": {"mode": "hash", "existingSecret": "keys", "key": "api-keys"},
    }
    release.upgrade(models={"intent": {"enabled": False}, **EMOTION_OFF, "mood": mood})
    said = release.test()
    assert "is gratitude" in said
    assert "401 without the key" in said
    (pod,) = release.pods("mood")
    logged = release.namespace.kubectl("logs", pod)
    assert '"prediction": "gratitude"' in logged
    assert "this made my day" not in logged


def test_a_canary_takes_its_share_and_goes_again(release):
    canary = {"enabled": True, "overrides": {"limits": {"maxTexts": 9}}}
    release.upgrade(models=EMOTION_OFF)
    stable = release.pods("intent")
    release.upgrade(models={"intent": {"canary": canary}, **EMOTION_OFF})
    assert release.pods("intent") == stable
    assert len(release.pods("intent", "canary")) == 1
    addresses = "jsonpath={.items[*].endpoints[*].addresses[0]}"
    slices = ("get", "endpointslices", "-o", addresses)
    k.until(
        "two endpoints", lambda: len(release.namespace.kubectl(*slices).split()) == 2, seconds=30
    )
    release.upgrade(models=EMOTION_OFF)
    assert release.pods("intent") == stable
    k.until("the canary's end", lambda: release.pods("intent", "canary") == set())


def test_keda_reads_the_texts_in_flight(release):
    address = "http://prometheus.monitoring:9090"
    keda = {"serverAddress": address, "fallback": {"replicas": 2}, "pollingInterval": 2}
    scaling = {"mode": "keda", "minReplicas": 1, "maxReplicas": 2, "keda": keda}
    release.upgrade(models={"intent": {"autoscaling": scaling}, **EMOTION_OFF})

    def value():
        status = release.get("hpa", "intent-keda")["status"]
        metrics = [m["external"] for m in status.get("currentMetrics") or () if "external" in m]
        return metrics[0]["current"]["averageValue"] if metrics else None

    # Until the first scrape of the pod the fallback's 2 pods' worth may stand there.
    k.until("the value from Prometheus", lambda: value() == "0", seconds=90)
    wanted = {"Ready": "True", "Fallback": "False"}
    k.until("its conditions", lambda: wanted.items() <= conditions(release).items())
    assert "keda.sh/v1alpha1/ScaledObject" in release.test()
    # To the CPU and back: each autoscaler goes with its mode, and none with the other.
    release.upgrade(models={"intent": {"autoscaling": scaling | {"mode": "cpu"}}, **EMOTION_OFF})
    k.until("the CPU's alone", lambda: autoscalers(release) == ["demo-nlpserve-intent"])
    release.upgrade(models={"intent": {"autoscaling": scaling}, **EMOTION_OFF})
    k.until("KEDA's alone", lambda: autoscalers(release) == ["demo-nlpserve-intent-keda"])


def autoscalers(release):
    return [item["metadata"]["name"] for item in release.namespace.get("hpa")["items"]]


def conditions(release):
    status = release.get("scaledobject", "intent")["status"]
    return {item["type"]: item["status"] for item in status.get("conditions") or ()}

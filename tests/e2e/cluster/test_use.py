"""What every workload expects of a cluster: names, probes, scaling, logs, metrics."""

import socket
import subprocess
import urllib.request

import kubectl as k
import objects
import pytest
from kubernetes import client, config
from kubernetes.stream import stream

# busybox's own timeout option crashes it, as Debian builds it.
WGET = ("timeout", "5", "wget", "-qO-")


def test_service_answers_by_name_from_another_pod(namespace):
    namespace.apply(objects.web("web", "hello"), objects.service("web"), objects.pod("client"))
    namespace.wait("deployment/web", "Available")
    namespace.wait("pod/client", "Ready")
    for name in ("web", f"web.{namespace.name}.svc.cluster.local"):
        asked = ("client", *WGET, f"http://{name}:8080/")
        k.until(name, lambda asked=asked: namespace.run(*asked) == "hello\n", 30)


def test_a_pod_reaches_itself_through_its_service(namespace):
    namespace.apply(objects.web("web", "myself"), objects.service("web"))
    namespace.wait("deployment/web", "Available")
    asked = ("deployment/web", *WGET, "http://web:8080/")
    k.until("its own answer", lambda: namespace.run(*asked) == "myself\n", 30)


def test_scaled_from_one_to_five(namespace):
    namespace.apply(objects.web("web", "hello"))
    namespace.wait("deployment/web", "Available")
    namespace.kubectl("scale", "deployment/web", "--replicas=5")
    k.until("five ready pods", lambda: len(namespace.ready_pods("app=web")) == 5)


def test_a_failing_probe_restarts_and_an_unready_pod_gets_no_traffic(namespace):
    lasting = {"exec": {"command": ["test", "-e", "/tmp/alive"]}}
    probe = {**lasting, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 10}
    script = f"touch /tmp/alive; {objects.web_server('probed')}"
    namespace.apply(
        objects.deployment(
            "web",
            script,
            pod_more=objects.SCRATCH,
            readinessProbe={**probe, "exec": {"command": ["test", "-e", "/tmp/ready"]}},
            livenessProbe={**probe, "initialDelaySeconds": 1},
            **objects.SCRATCH_MOUNT,
        ),
        objects.service("web"),
    )
    k.until("a running pod", lambda: running(namespace))
    assert endpoints(namespace) == []
    namespace.run("deployment/web", "touch", "/tmp/ready")
    namespace.wait("deployment/web", "Available")
    k.until("its endpoint", lambda: len(endpoints(namespace)) == 1)
    namespace.run("deployment/web", "rm", "/tmp/alive")
    k.until("a restart", lambda: restarts(namespace) >= 1)


def running(namespace):
    pods = namespace.get("pods", "-l", "app=web")["items"]
    return pods and pods[0]["status"]["phase"] == "Running"


def restarts(namespace):
    pod = namespace.get("pods", "-l", "app=web")["items"][0]
    return pod["status"]["containerStatuses"][0]["restartCount"]


def endpoints(namespace):
    slices = namespace.get("endpointslices", "-l", "kubernetes.io/service-name=web")["items"]
    every = [item for part in slices for item in part.get("endpoints") or ()]
    return [item for item in every if item["conditions"].get("ready")]


def test_logs_exec_and_top(namespace):
    namespace.apply(objects.pod("talker", "echo said; sleep 600"))
    namespace.wait("pod/talker", "Ready")
    k.until("its line", lambda: namespace.kubectl("logs", "talker") == "said\n")
    assert namespace.run("talker", "id", "-u") == "1000\n"
    k.until("metrics of the pod", lambda: "talker" in namespace.kubectl("top", "pods"), 90)


def test_port_forward(namespace):
    namespace.apply(objects.web("web", "forwarded"))
    namespace.wait("deployment/web", "Available")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["-n", namespace.name, "port-forward", "deployment/web", f"{port}:8080"]
    command = [k.program("kubectl"), "--kubeconfig", str(k.kubeconfig()), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        try:
            assert "Forwarding" in forward.stdout.readline()
            assert fetch(f"http://127.0.0.1:{port}/") == "forwarded\n"
        finally:
            forward.terminate()


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_a_pod_that_is_not_restricted_is_refused(namespace):
    root = objects.pod("root")
    root["spec"]["containers"][0]["securityContext"] = {}
    with pytest.raises(k.Failed, match="violates PodSecurity"):
        namespace.apply(root)


def test_memory_beyond_the_limit_ends_the_container_alone(namespace):
    eater = objects.pod("eater", "sleep 2; tail /dev/zero", restartPolicy="Never")
    namespace.apply(eater, objects.pod("bystander"))
    namespace.wait("pod/bystander", "Ready")

    def reason():
        states = namespace.get("pod", "eater")["status"].get("containerStatuses", [{}])
        return states[0].get("state", {}).get("terminated", {}).get("reason")

    assert k.until("the end of the eater", reason) == "OOMKilled"
    assert namespace.run("bystander", "echo", "here") == "here\n"


def test_an_image_is_mounted_as_a_volume(namespace):
    reference = {"reference": objects.BUSYBOX, "pullPolicy": "IfNotPresent"}
    mounted = objects.pod("reader", volumes=[{"name": "files", "image": reference}])
    mount = {"name": "files", "mountPath": "/files", "subPath": "bin"}
    mounted["spec"]["containers"][0]["volumeMounts"] = [mount]
    namespace.apply(mounted)
    namespace.wait("pod/reader", "Ready")
    assert "httpd" in namespace.run("reader", "ls", "/files").split()
    with pytest.raises(k.Failed, match="Read-only file system"):
        namespace.run("reader", "touch", "/files/new")


def test_the_python_client_lists_runs_and_reads(namespace):
    namespace.apply(objects.pod("talker", "echo said; sleep 600"))
    namespace.wait("pod/talker", "Ready")
    k.until("its line", lambda: namespace.kubectl("logs", "talker") == "said\n")
    config.load_kube_config(config_file=str(k.kubeconfig()))
    with client.ApiClient() as connection:
        core = client.CoreV1Api(connection)
        pods = core.list_namespaced_pod(namespace.name).items
        assert [pod.metadata.name for pod in pods] == ["talker"]
        where = {"name": "talker", "namespace": namespace.name}
        assert core.read_namespaced_pod_log(**where) == "said\n"
        run = core.connect_get_namespaced_pod_exec
        command = ["echo", "from", "inside"]
        talk = stream(run, **where, command=command, stdout=True, _preload_content=False)
        talk.run_forever(timeout=10)
        assert talk.read_stdout().strip() == "from inside"
        talk.sock.shutdown()  # close() leaves a socket that the other side ended
        connection.rest_client.pool_manager.clear()

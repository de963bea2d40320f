"""The small things that tests of a cluster run: busybox as server, as client, as burner of CPU."""

import kubectl as k

BUSYBOX = "localhost/nlpserve-local/busybox:local" if k.is_local() else "busybox:1.36"

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(script, **more):
    """busybox running a shell script, in small bounds."""
    limits = {"cpu": "100m", "memory": "32Mi"}
    return {
        "name": "busybox",
        "image": BUSYBOX,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "securityContext": RESTRICTED,
        "resources": {"requests": {"cpu": "50m", "memory": "16Mi"}, "limits": limits},
        **more,
    }


def pod_spec(script, **more):
    settings = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1}
    return {**settings, "containers": [container(script, **more)]}


def pod(name, script="sleep 600", **more):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {**pod_spec(script), **more},
    }


def deployment(name, script, *, replicas=1, annotations=None, pod_more=None, **more):
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels, "annotations": annotations or {}},
        "spec": {**pod_spec(script, **more), **(pod_more or {})},
    }
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": spec | ({"replicas": replicas} if replicas is not None else {}),
    }


def service(name, port=8080, **more):
    spec = {"selector": {"app": name}, "ports": [{"port": port, "targetPort": port}], **more}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def web_server(text, page="index.html"):
    """A script that serves `text` on port 8080."""
    listen = "httpd -f -p 8080 -h /tmp/www"
    return f"mkdir -p /tmp/www && echo '{text}' > /tmp/www/{page} && exec {listen}"


SCRATCH = {
    "volumes": [{"name": "tmp", "emptyDir": {}}],
}
SCRATCH_MOUNT = {"volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}
LISTENING = {"readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1}}
"""A container that has started need not listen yet."""


def web(name, text, page="index.html", **more):
    """A Deployment of web servers; it needs a folder to write its page to."""
    more = {"pod_more": SCRATCH, **SCRATCH_MOUNT, **LISTENING, **more}
    return deployment(name, web_server(text, page), **more)

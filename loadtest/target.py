"""Finds what is to be loaded."""

from loadtest.cluster import Cluster
from loadtest.objects import Target
from loadtest.spec import RolloutSpec, SpecError


def find_target(cluster: Cluster, spec: RolloutSpec) -> Target:
    """The Deployment of the model, by the chart's labels. Raises SpecError."""
    words = ["app.kubernetes.io/component=model", "nlpserve/track=stable"]
    words.append(f"nlpserve/model={spec.model}")
    if spec.release is not None:
        words.append(f"app.kubernetes.io/instance={spec.release}")
    found = cluster.targets(spec.namespace, ",".join(words))
    if not found:
        raise SpecError(
            f"no model {spec.model} in the namespace {spec.namespace}; where it is shows"
            f" `kubectl get deployments --all-namespaces -l nlpserve/model={spec.model}`"
        )
    if len(found) > 1:
        releases = ", ".join(sorted(target.release for target in found))
        raise SpecError(f"{spec.model} is in several releases ({releases}): name one (--release)")
    if not cluster.has_namespace(spec.load_namespace):
        raise SpecError(
            f"no namespace {spec.load_namespace} for the load: make it with"
            " `kubectl apply -k k8s/loadtest`, or name another (--load-namespace)"
        )
    return found[0]

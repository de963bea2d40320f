"""Finds what is to be loaded."""

from loadtest.cluster import Cluster
from loadtest.objects import Target
from loadtest.spec import RolloutSpec, SpecError
from nlpserve.load_scenarios import TargetPart


def find_model(cluster: Cluster, wanted: TargetPart, namespace: str) -> Target:
    """The Deployment of the model, by the chart's labels; `namespace` when it names none.

    Raises SpecError.
    """
    namespace = wanted.namespace or namespace
    words = ["app.kubernetes.io/component=model", "nlpserve/track=stable"]
    words.append(f"nlpserve/model={wanted.model}")
    if wanted.release is not None:
        words.append(f"app.kubernetes.io/instance={wanted.release}")
    found = cluster.targets(namespace, ",".join(words))
    if not found:
        raise SpecError(
            f"no model {wanted.model} in the namespace {namespace}; where it is shows"
            f" `kubectl get deployments --all-namespaces -l nlpserve/model={wanted.model}`"
        )
    if len(found) > 1:
        releases = ", ".join(sorted(target.release for target in found))
        raise SpecError(f"{wanted.model} is in several releases ({releases}): name one (--release)")
    return found[0]


def find_target(cluster: Cluster, spec: RolloutSpec) -> Target:
    """What a rollout disturbs, where there is a namespace for its load. Raises SpecError."""
    found = find_model(cluster, TargetPart(model=spec.model, release=spec.release), spec.namespace)
    if not cluster.has_namespace(spec.load_namespace):
        raise SpecError(
            f"no namespace {spec.load_namespace} for the load: make it with"
            " `kubectl apply -k k8s/loadtest`, or name another (--load-namespace)"
        )
    return found

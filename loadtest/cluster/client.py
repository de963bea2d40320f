"""What load tests ask of the cluster."""

from collections.abc import Callable
from typing import Any, Final, cast

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from loadtest import objects
from loadtest.cluster.access import access
from loadtest.cluster.calls import CALL_SECONDS, ClusterError, retried, told
from loadtest.objects import Autoscaler, JobState, Pod, Target
from nlpserve.load_results import ClusterFacts

MANAGER: Final = "nlpserve-loadtest"
"""Under this name the API server notes which fields were changed."""
FOLLOW_SECONDS: Final = 120
"""Longest time to read a log to its end."""
RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
"""`kubectl rollout restart` sets the same annotation."""


class Cluster:
    """One cluster, by the user's own kubeconfig or a pod's token."""

    def __init__(self, context: str | None = None) -> None:
        """That of a context of the kubeconfig, or the one at hand. Raises ClusterError."""
        settings, place = access(context)
        self.context, self.namespace = place.context, place.namespace
        self._api = client.ApiClient(settings)
        self._core = client.CoreV1Api(self._api)
        self._apps = client.AppsV1Api(self._api)
        self._batch = client.BatchV1Api(self._api)
        self._scaling = client.AutoscalingV2Api(self._api)

    def _get(self, what: str, call: Callable[..., Any], *words: Any, **options: Any) -> Any:  # noqa: ANN401
        """A reading call; the plain JSON that the API server gave."""
        found = retried(what, lambda: call(*words, **options, _request_timeout=CALL_SECONDS))
        return self._api.sanitize_for_serialization(found)  # type: ignore[no-untyped-call]

    def _listed(self, what: str, call: Callable[..., Any], **options: Any) -> list[Any]:  # noqa: ANN401
        """The items of a list; none for who may not see them."""
        try:
            return list(self._get(what, call, **options)["items"])
        except ClusterError as error:
            if error.status != 403:
                raise
            return []

    # What is there.

    def facts(self) -> ClusterFacts:
        """Version and nodes, without names."""
        version = self._get("read the version", client.VersionApi(self._api).get_code)
        nodes = self._listed("list nodes", self._core.list_node)
        return ClusterFacts(
            version=version["gitVersion"], nodes=[objects.read_node(node) for node in nodes]
        )

    def has_namespace(self, name: str) -> bool:
        """Whether it is there."""
        try:
            self._get(f"read namespace {name}", self._core.read_namespace, name)
        except ClusterError as error:
            if error.status not in {403, 404}:
                raise
            return error.status == 403  # it cannot be known; making the Job will tell
        return True

    def has_account(self, namespace: str, name: str) -> bool:
        """Whether this service account is there, as far as one may know."""
        call = self._core.read_namespaced_service_account
        try:
            self._get(f"read service account {name}", call, name, namespace)
        except ClusterError as error:
            if error.status not in {403, 404}:
                raise
            return error.status == 403
        return True

    def targets(self, namespace: str, selector: str) -> list[Target]:
        """Deployments with these labels."""
        call = self._apps.list_namespaced_deployment
        found = self._get("list Deployments", call, namespace, label_selector=selector)
        return [objects.read_target(item) for item in found["items"]]

    def target(self, target: Target) -> Target:
        """The same as it is now."""
        call = self._apps.read_namespaced_deployment
        found = self._get(f"read Deployment {target.name}", call, target.name, target.namespace)
        return objects.read_target(found)

    def service_port(self, namespace: str, name: str) -> int:
        """The first port of a Service."""
        call = self._core.read_namespaced_service
        service = self._get(f"read Service {name}", call, name, namespace)
        return int(service["spec"]["ports"][0]["port"])

    def pods(self, namespace: str, selector: str) -> list[Pod]:
        """All pods with these labels, those that are ending as well."""
        call = self._core.list_namespaced_pod
        found = self._get("list pods", call, namespace, label_selector=selector)
        return [objects.read_pod(item) for item in found["items"]]

    def autoscaler(self, target: Target) -> Autoscaler | None:
        """The HorizontalPodAutoscaler that owns the target's replicas."""
        call = self._scaling.list_namespaced_horizontal_pod_autoscaler
        found = self._get(f"list autoscalers in {target.namespace}", call, target.namespace)
        scalers = (objects.read_autoscaler(item) for item in found["items"])
        return next((scaler for scaler in scalers if scaler.target == target.name), None)

    # What disturbs the target.

    def restart(self, target: Target, stamp: str) -> None:
        """What `kubectl rollout restart` does."""
        template = {"metadata": {"annotations": {RESTARTED_AT: stamp}}}
        self._patch("restart", target, {"spec": {"template": template}})

    def scale(self, target: Target, replicas: int) -> None:
        """Set the replicas of a Deployment that no autoscaler owns."""
        self._patch("scale", target, {"spec": {"replicas": replicas}})

    def bound(self, scaler: Autoscaler, fewest: int, most: int) -> None:
        """Set the bounds of an autoscaler."""
        self._patch("bound", scaler, {"spec": {"minReplicas": fewest, "maxReplicas": most}})

    def give_back(self, changed: Target | Autoscaler) -> None:
        """Let the fields belong to whom they belonged, or Helm's next upgrade finds a conflict."""
        self._patch("give back", changed, {"metadata": {"managedFields": changed.managers}})

    def _patch(self, what: str, changed: Target | Autoscaler, body: dict[str, Any]) -> None:
        call: Callable[..., Any] = self._scaling.patch_namespaced_horizontal_pod_autoscaler
        kind = "autoscaler"
        if isinstance(changed, Target):
            kind, call = "Deployment", self._apps.patch_namespaced_deployment
        words = (changed.name, changed.namespace, body)
        self._get(f"{what} {kind} {changed.name}", call, *words, field_manager=MANAGER)

    def delete_pod(self, namespace: str, name: str, *, grace_seconds: int | None = None) -> None:
        """Ask for its end; its own grace period unless told otherwise."""
        options = {} if grace_seconds is None else {"grace_period_seconds": grace_seconds}
        call = self._core.delete_namespaced_pod
        self._gone(f"delete pod {name}", call, name, namespace, **options)

    # The load's Job.

    def create_job(self, manifest: dict[str, Any]) -> None:
        """Not tried again: what looks like a failure may have made it."""
        names = manifest["metadata"]
        with told(f"create Job {names['name']} in {names['namespace']}"):
            call = self._batch.create_namespaced_job
            call(names["namespace"], cast("Any", manifest), _request_timeout=CALL_SECONDS)

    def job_state(self, namespace: str, name: str) -> JobState:
        """How far it is, and what its container said at its end."""
        job = self._get(f"read Job {name}", self._batch.read_namespaced_job, name, namespace)
        return objects.read_job(job, self.pods(namespace, f"batch.kubernetes.io/job-name={name}"))

    def last_lines(self, pod: Pod, lines: int) -> list[str]:
        """The end of its log; nothing while there is none."""
        try:
            text = self._core.read_namespaced_pod_log(
                pod.name, pod.namespace, tail_lines=lines, _request_timeout=CALL_SECONDS
            )
        except (ApiException, urllib3.exceptions.HTTPError):
            return []
        return (text or "").splitlines()

    def follow(self, pod: Pod) -> list[str]:
        """The rest of the log of a pod that is ending, once it has ended; bounded in time."""
        try:
            text = self._core.read_namespaced_pod_log(
                pod.name, pod.namespace, follow=True, tail_lines=1, _request_timeout=FOLLOW_SECONDS
            )
        except (ApiException, urllib3.exceptions.HTTPError):
            return []
        return (text or "").splitlines()

    def whole_log(self, pod: Pod) -> list[str]:
        """All lines of a pod that has ended."""
        call = self._core.read_namespaced_pod_log
        words = f"read the log of {pod.name}"
        text = retried(
            words, lambda: call(pod.name, pod.namespace, _request_timeout=FOLLOW_SECONDS)
        )
        return (text or "").splitlines()

    def job_uid(self, namespace: str, name: str) -> str:
        """By which other objects say that they belong to it."""
        job = self._get(f"read Job {name}", self._batch.read_namespaced_job, name, namespace)
        return str(job["metadata"]["uid"])

    def jobs(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """Jobs with these labels, as the API has them."""
        call = self._batch.list_namespaced_job
        found = self._get("list Jobs", call, namespace, label_selector=selector)
        return list(found["items"])

    def jobs_anywhere(self, selector: str) -> list[dict[str, Any]]:
        """The same in all namespaces; nothing for who may not look there."""
        call = self._batch.list_job_for_all_namespaces
        return self._listed("list Jobs", call, label_selector=selector)

    def create_texts(self, manifest: dict[str, Any]) -> None:
        """A ConfigMap; not tried again."""
        names = manifest["metadata"]
        with told(f"create ConfigMap {names['name']} in {names['namespace']}"):
            call = self._core.create_namespaced_config_map
            call(names["namespace"], cast("Any", manifest), _request_timeout=CALL_SECONDS)

    def delete_texts(self, namespace: str, name: str) -> None:
        """It need not be there."""
        call = self._core.delete_namespaced_config_map
        self._gone(f"delete ConfigMap {name}", call, name, namespace)

    def delete_job(self, namespace: str, name: str) -> None:
        """With its pod; it need not be there."""
        call = self._batch.delete_namespaced_job
        self._gone(f"delete Job {name}", call, name, namespace, propagation_policy="Background")

    def _gone(self, what: str, call: Callable[..., Any], *words: Any, **options: Any) -> None:  # noqa: ANN401
        try:
            self._get(what, call, *words, **options)
        except ClusterError as error:
            if error.status != 404:
                raise

"""The cluster with whole objects, as the API has them."""

from typing import Any

from kubernetes import client

from loadtest.cluster.client import Cluster
from loadtest.objects import Target


class WholeCluster(Cluster):
    """For who needs more of an object than a few facts."""

    def deployment(self, target: Target) -> dict[str, Any]:
        """A target's Deployment."""
        call = self._apps.read_namespaced_deployment
        found = self._get(f"read Deployment {target.name}", call, target.name, target.namespace)
        return dict(found)

    def autoscaler_object(self, target: Target) -> dict[str, Any] | None:
        """The HorizontalPodAutoscaler that owns the target's replicas."""
        call = self._scaling.list_namespaced_horizontal_pod_autoscaler
        found = self._get(f"list autoscalers in {target.namespace}", call, target.namespace)
        for item in found["items"]:
            if item["spec"]["scaleTargetRef"]["name"] == target.name:
                return dict(item)
        return None

    def scaled_object(self, namespace: str, name: str) -> dict[str, Any]:
        """KEDA's."""
        call = client.CustomObjectsApi(self._api).get_namespaced_custom_object
        words = ("keda.sh", "v1alpha1", namespace, "scaledobjects", name)
        return dict(self._get(f"read ScaledObject {name}", call, *words))

    def pod_objects(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """All pods with these labels, those that are ending as well."""
        call = self._core.list_namespaced_pod
        found = self._get("list pods", call, namespace, label_selector=selector)
        return list(found["items"])

    def warnings(self, namespace: str, name: str) -> list[str]:
        """What events warn of about an object; nothing for who may not see them."""
        call = self._core.list_namespaced_event
        selector = f"involvedObject.name={name},type=Warning"
        found = self._listed("list events", call, namespace=namespace, field_selector=selector)
        return [str(item.get("message", "")) for item in found]

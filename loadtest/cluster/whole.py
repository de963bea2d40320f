"""The cluster with whole objects, as the API has them."""

from typing import Any

from loadtest.cluster.client import Cluster
from loadtest.objects import Target


class WholeCluster(Cluster):
    """For who needs more of an object than a few facts."""

    def deployment(self, target: Target) -> dict[str, Any]:
        """A target's Deployment."""
        call = self._apps.read_namespaced_deployment
        found = self._get(f"read Deployment {target.name}", call, target.name, target.namespace)
        return dict(found)

    def pod_objects(self, namespace: str, selector: str) -> list[dict[str, Any]]:
        """All pods with these labels, those that are ending as well."""
        call = self._core.list_namespaced_pod
        found = self._get("list pods", call, namespace, label_selector=selector)
        return list(found["items"])

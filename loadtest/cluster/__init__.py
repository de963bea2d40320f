"""The cluster, as load tests use it. The only package that imports `kubernetes`."""

from loadtest.cluster.calls import ClusterError
from loadtest.cluster.client import Cluster

__all__ = ["Cluster", "ClusterError"]

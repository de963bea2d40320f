"""What conducts a load test from a pod of the cluster: `python -m loadtest.coordinator`."""

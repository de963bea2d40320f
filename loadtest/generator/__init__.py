"""What runs in the load's pod: `python -m loadtest.generator`. Nothing of it asks the cluster."""

"""Load tests from inside the cluster: `python -m loadtest --help`."""

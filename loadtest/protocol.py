"""What the generator in the pod and the runner outside agree on."""

from typing import Final

SPEC_VARIABLE: Final = "LOADTEST_SPEC"
PROGRESS: Final = "progress "
"""Begins a line of the log that tells how far the load is, as JSON."""
MESSAGE_FILE: Final = "/dev/termination-log"
MAX_MESSAGE_BYTES: Final = 4_096
"""Kubernetes keeps no more of a termination message."""

"""What the generator in the pod and the runner outside agree on."""

from typing import Final

SPEC_VARIABLE: Final = "LOADTEST_SPEC"
PROGRESS: Final = "progress "
"""Begins a line of the log that tells how far the load is, as JSON."""
MESSAGE_FILE: Final = "/dev/termination-log"
MAX_MESSAGE_BYTES: Final = 4_096
"""Kubernetes keeps no more of a termination message."""
RUN_VARIABLE: Final = "LOADTEST_RUN"
"""What the coordinator does, as JSON."""
COORDINATOR_VARIABLE: Final = "LOADTEST_COORDINATOR"
"""Where a worker finds it: address and port."""
INDEX_VARIABLE: Final = "JOB_COMPLETION_INDEX"
"""Kubernetes gives each pod of an Indexed Job its own."""
COORDINATOR_PORT: Final = 8765
METRICS_PORT: Final = 9464
METRICS_VARIABLE: Final = "LOADTEST_METRICS_PORT"
"""Where a worker exposes its metrics; without it, nowhere."""
RESULT: Final = "result "
"""Begins a line of the coordinator's log: number/of, and a piece of the result, compressed."""

"""Metrics of the load generator's pods, all with LABELS. The Load test dashboard reads them.

The generator exposes them on /metrics and annotates its pods `prometheus.io/scrape`, as the service
does. The dashboards' annotation of load tests comes from USERS.
"""

from typing import Final

LOAD_PREFIX: Final = "nlpserve_load_"

LABELS: Final = ("scenario", "run", "worker")
"""Name of the scenario, id of one run of it, and which of its workers."""

# Read by: users over time, and the annotation of load tests. Users that this worker plays now.
USERS: Final = LOAD_PREFIX + "users"
# Read by: achieved against intended rate. Requests a second that the worker should send now.
INTENDED_RATE: Final = LOAD_PREFIX + "intended_rate"
# Read by: achieved against intended rate, failures. Also has OUTCOME, one of load_results.Outcome.
REQUESTS: Final = LOAD_PREFIX + "requests"
OUTCOME: Final = "outcome"
ANSWERED: Final = "answered"
"""Its one value that is no failure; here once more, for those who have no pydantic."""
# Read by: latency as the user has it. Histogram, in seconds.
LATENCY: Final = LOAD_PREFIX + "latency_seconds"
# Read by: connections of the generator. Open now.
OPEN_CONNECTIONS: Final = LOAD_PREFIX + "open_connections"
# Read by: generator's CPU. CPU time used over that which the worker may use, 0 to 1.
CPU_RATIO: Final = LOAD_PREFIX + "cpu_ratio"
# Read by: generator's lag. How late the event loop runs what is due, in seconds.
LOOP_LAG: Final = LOAD_PREFIX + "loop_lag_seconds"

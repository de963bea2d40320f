"""What is promised, and from where on a value deserves a look. Panels draw these."""

from typing import Final

# 5xx answers, what is shed among them, over all answers. A month may lose 43 minutes.
AVAILABILITY: Final = 0.999
# So many answers within so many seconds; a bound of the histogram's buckets.
FAST_SHARE: Final = 0.99
FAST_SECONDS: Final = 0.5

# What a pod accepts, as the chart has it.
QUEUE_LIMIT: Final = 2048

# Waiting for the model longer than this, half of what an answer may take is gone: the alert's edge.
WAIT_SECONDS: Final = 0.25
# A model thread busier than this has no room for a burst before another pod is there.
BUSY_SHARE: Final = 0.7
# Of the cap on texts in flight; the chart keeps the autoscaler's target under it.
CAP_SHARE: Final = 0.7
# Of the same, from where on there is an alert; thresholds.yaml.
FULL_SHARE: Final = 0.8
# Throttled more than this, the tail of the latency shows it.
THROTTLED_SHARE: Final = 0.1
# Memory near its limit: the kernel is about to kill the pod.
MEMORY_SHARE: Final = 0.9
# Population stability index from which texts are no longer those of the training; thresholds.yaml.
DRIFT_INDEX: Final = 0.25
# A load test tells nothing when less of what was meant is sent, when a worker used more of its CPU
# limit, or ran so late: the defaults of a scenario's `validity`.
RATE_SHARE: Final = 0.95
GENERATOR_BUSY_SHARE: Final = 0.9
GENERATOR_LAG_SECONDS: Final = 0.1
# A winner with less than this is a guess.
LOW_CONFIDENCE: Final = 0.5

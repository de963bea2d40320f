"""Names, labels and label values of every metric. Each comment names the metric's reader."""

from enum import StrEnum
from typing import Final

PREFIX: Final = "nlpserve_"

# Read by: the availability objective's alerts, the Service dashboard, exact counts of load tests.
REQUESTS: Final = PREFIX + "requests"
# Read by: the latency objective's alerts, the Service dashboard.
REQUEST_DURATION: Final = PREFIX + "request_duration_seconds"
# Read by: the KEDA scaler, the saturation alert. Texts accepted and not yet answered.
IN_FLIGHT: Final = PREFIX + "in_flight"
# Read by: the saturation alert. Texts that wait for the model.
QUEUE_DEPTH: Final = PREFIX + "queue_depth"
# Read by: the Batching dashboard, the saturation alert.
QUEUE_WAIT: Final = PREFIX + "queue_wait_seconds"
# Read by: the Batching dashboard, the batches-of-one alert, the capacity alerts (texts a second).
BATCH_SIZE: Final = PREFIX + "batch_size"
# Read by: the Batching dashboard, calibration.
BATCH_DURATION: Final = PREFIX + "batch_duration_seconds"
# Read by: the Batching dashboard.
BATCHES: Final = PREFIX + "batches"
# Read by: the rejection alert, the Batching dashboard.
REJECTED: Final = PREFIX + "rejected"
# Read by: the Predictions dashboard.
PREDICTIONS: Final = PREFIX + "predictions"
# Read by: the Predictions dashboard.
CONFIDENCE: Final = PREFIX + "confidence"
# Read by: the Predictions dashboard.
TEXT_CHARACTERS: Final = PREFIX + "text_characters"
# Read by: the drift alert, the Predictions dashboard. `feature` is a `DriftFeature`.
DRIFT_PSI: Final = PREFIX + "drift_psi"
# Read by: the prediction-log alert.
PREDICTION_LOG_DROPPED: Final = PREFIX + "prediction_log_dropped"
# Read by: calibration. Periods of the container's CPU limit in which it ran.
CPU_PERIODS: Final = PREFIX + "cpu_periods"
# Read by: calibration. Those in which it was stopped at the limit.
CPU_THROTTLED_PERIODS: Final = PREFIX + "cpu_throttled_periods"
# Read by: the Service dashboard's version panel.
MODEL_INFO: Final = PREFIX + "model_info"


class Rejection(StrEnum):
    """Why a request was turned away: `reason` of nlpserve_rejected_total."""

    QUEUE_FULL = "queue_full"
    DEADLINE = "deadline"
    EXPIRED = "expired"
    UNAUTHORIZED = "unauthorized"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    SLOW_HEAD = "slow_head"
    OPEN_BODIES = "open_bodies"
    SLOW_BODY = "slow_body"
    MODEL_DEAD = "model_dead"
    FAILED = "failed"


class BatchReason(StrEnum):
    """Why a batch went when it did: `reason` of nlpserve_batches_total."""

    IDLE = "idle"  # the model was free when the first text came
    DRAINED = "drained"  # the model became free and took all that waited
    FULL = "full"  # more waited than one batch may hold


class DriftFeature(StrEnum):
    """What is compared with the training texts: `feature` of nlpserve_drift_psi."""

    TEXT_LENGTH = "text_length"
    UNKNOWN_WORDS = "unknown_words"
    LABELS = "labels"
    CONFIDENCE = "confidence"


NO_MODEL: Final = "none"
"""`model` label of a request that names no served model."""

LAST_COUNTS: Final = "Requests counted: "
"""Begins the line that a process logs as it ends: its requests, [model, route, code, number] each.

Nobody can scrape it by then, and a load test counts every request."""

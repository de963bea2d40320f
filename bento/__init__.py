"""The service and the training of its models."""

import os

# numpy's BLAS reads this once, when it is first imported, so it is said here, before any module.
# Threads that spin for a small matrix product take the core that HTTP and the other model need.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# onnxruntime's Linux wheels call home and leave a device id on disk; 0 lets them.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

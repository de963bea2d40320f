"""The values file that `helm upgrade -f` takes, with its reasons as comments."""

from loadtest.calibration.derived import Derived, Release, in_flight
from loadtest.calibration.search import CHECK, POINT_SHARES, TARGET_SHARE, Found
from loadtest.calibration.trials import Objective
from nlpserve.load_results import Facts


class Origin(Facts):
    """How the numbers came about."""

    model: str
    model_version: str
    started: str
    commit: str
    form: str
    """Quick or full."""
    texts: str
    """Where they came from, and how many."""
    seconds: float
    """Of each load of the search."""
    memory_mib: float
    """That a pod used."""
    pods: int = 1
    """Loaded together."""


def write(
    found: Found, derived: Derived, objective: Objective, release: Release, origin: Origin
) -> str:
    """YAML; every number with where it comes from."""
    at = found.points[POINT_SHARES.index(TARGET_SHARE)]
    knees = ", ".join(f"{knee:.4g}" for knee in found.knees)
    gauge = "not asked" if at.gauge is None else f"{at.gauge:.2f}"
    head = [
        f"Measured by `python -m loadtest calibrate`, {origin.form} form, {origin.started}.",
        f"Commit {origin.commit}. Model {origin.model} {origin.model_version}.",
        f"Texts: {origin.texts}; one text a request.",
        f"Objective: {objective.share:.1%} of the requests answered in {objective.seconds:g} s.",
        f"Knee, open model, loads of {origin.seconds:g} s: {knees}; mean {found.mean:.4g}/s.",
        f"At {CHECK:g} of the capacity the objective fails: {_in_time(found)} in time, and"
        f" {max(0.0, found.check.growth / origin.pods):.2g} requests a second pile up.",
        f"The pod answers {found.saturation:.4g} requests/s at most.",
        *([f"{origin.pods} pods were loaded together; rates are of one."] * (origin.pods > 1)),
        "Requests came evenly spaced; of the same number by chance fewer are in time.",
        *derived.warnings,
    ]
    limits = ", ".join(f"{kind}: {quantity}" for kind, quantity in release.limits.items())
    return "\n".join(
        (
            *(f"# {line}" for line in head),
            "models:",
            f"  {origin.model}:",
            "    # Texts/s of one pod at the objective, the lower 95 % bound of the mean.",
            f"    capacity: {derived.capacity:g}",
            "    autoscaling:",
            f"      # CPU at {TARGET_SHARE:g} of the capacity in percent of the limit; at most 70.",
            f"      cpuPercent: {derived.cpu_percent}",
            "      keda:",
            f"        # Texts in flight at {TARGET_SHARE:g} of the capacity, by the pod's gauge.",
            f"        # At {at.rate:.4g} requests/s: gauge {gauge}, Little's law {at.little:.2f},",
            f"        # counted by the client {at.open:.2f}.",
            f"        inFlight: {derived.in_flight:g}",
            "    batching:",
            "      # Texts that can be answered before the deadline: more would wait in vain.",
            f"      queueLimit: {derived.queue_limit}",
            "      # As measured: with others the numbers are others.",
            f"      maxBatchSize: {release.max_batch_size}",
            "    limits:",
            "      # What would wait longer is shed.",
            f"      deadlineSeconds: {derived.deadline_seconds:g}",
            "    resources:",
            f"      # CPU that a pod uses at {TARGET_SHARE:g} of the capacity."
            f" It had {origin.memory_mib:.0f} MiB resident.",
            f"      requests: {{cpu: {derived.cpu_request}}}",
            "      # As measured: with other limits the numbers are others.",
            f"      limits: {{{limits}}}",
            "",
        )
    )


def _in_time(found: Found) -> str:
    return f"{found.check.in_time / found.check.meant:.1%}"


def summary(found: Found) -> str:
    """One line for the terminal."""
    top = found.points[-1]
    return (
        f"{found.capacity:.1f} requests/s (mean {found.mean:.1f} of {len(found.knees)});"
        f" at {top.rate:.1f}: {in_flight(top):.2f} in flight, {top.cpu:.2f} cores"
    )

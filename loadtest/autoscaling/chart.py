"""An autoscaler's settings as the chart's values have them."""

from collections.abc import Mapping
from typing import Any, Final

from nlpserve.autoscaling import Autoscaler, Behavior, Fallback, Keda

DECIMAL: Final = {
    "n": "e-9", "u": "e-6", "m": "e-3", "": "", "k": "e3", "M": "e6", "G": "e9", "T": "e12"
}  # fmt: skip
BINARY: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """One map laid over another, as Helm does; what is null goes."""
    found = dict(base)
    for key, value in over.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(found.get(key), Mapping):
            found[key] = merged(found[key], value)
        else:
            found[key] = value
    return found


def settings(values: Mapping[str, Any], model: str) -> dict[str, Any]:
    """A model's own: its entry laid over the defaults. Raises ValueError for an unknown model."""
    if model not in values["models"]:
        raise ValueError(f"the values have no model {model}: {', '.join(values['models'])}")
    return merged(values["defaults"], values["models"][model] or {})


def missing(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What of one map another does not say."""
    return {
        key: missing(value, given.get(key) or {}) if isinstance(value, Mapping) else value
        for key, value in own.items()
        if isinstance(value, Mapping) or key not in given
    }


def quantity(given: str | float) -> float:
    """A number as Kubernetes writes it: 250m is 0.25. Raises ValueError."""
    text = str(given)
    number = text.rstrip("".join((*DECIMAL, *BINARY)))
    unit = text.removeprefix(number)
    if unit in BINARY:
        return float(number) * BINARY[unit]
    if unit not in DECIMAL:
        raise ValueError(f"{text}: no quantity of Kubernetes")
    return float(number + DECIMAL[unit])


def mebibytes(given: str | float) -> float:
    """A quantity of memory: 1Gi is 1024. Raises ValueError."""
    return quantity(given) / 2**20


def cpu(model: Mapping[str, Any]) -> float:
    """Cores that a pod may use: its limit, else its request. Raises ValueError without both."""
    resources = model["resources"]
    for kind in ("limits", "requests"):
        if given := resources.get(kind, {}).get("cpu"):
            return quantity(given)
    raise ValueError("resources name neither a CPU limit nor a request")


def autoscaler(model: Mapping[str, Any], mode: str | None = None) -> Autoscaler:
    """Of a model's settings; `mode` in place of theirs. `none` stands still at its replicas."""
    given = model["autoscaling"]
    keda = given["keda"]
    chosen = mode or given["mode"]
    fixed = chosen == "none"
    return Autoscaler.model_validate(
        {
            "mode": chosen,
            "min_replicas": model["replicas"] if fixed else given["minReplicas"],
            "max_replicas": model["replicas"] if fixed else given["maxReplicas"],
            "cpu_target": cpu(model) * given["cpuPercent"] / 100,
            "behavior": Behavior.model_validate(given["behavior"]),
            "keda": Keda(
                in_flight=keda["inFlight"],
                window_seconds=_seconds(keda["window"]),
                polling_interval=keda["pollingInterval"],
                fallback=Fallback.model_validate(keda["fallback"]),
            ),
        }
    )


def _seconds(text: str) -> float:
    return float(text[:-1]) * (60 if text.endswith("m") else 1)

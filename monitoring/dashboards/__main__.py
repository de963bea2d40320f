"""`python -m monitoring.dashboards`: writes grafana/*.json, or says whether they are up to date."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards import autoscaling, batching, load_test, predictions, service

FOLDER: Final = Path(__file__).parent / "grafana"
MODULES: Final = (service, batching, autoscaling, predictions, load_test)
BOARDS: Final = tuple(module.BOARD for module in MODULES)
# What an annotation says; Grafana reads these fields, but the SDK's model does not have them.
TITLES: Final = {
    "Rollouts": {"titleFormat": "{{model}} {{version}}", "textFormat": "{{replicaset}}"},
    "Alerts": {"titleFormat": "{{alertname}} {{model}}", "textFormat": "{{severity}}"},
    "Load tests": {"titleFormat": "{{scenario}}", "textFormat": "{{run}}"},
}

Json: TypeAlias = dict[str, Any]


def text_of(dashboard: Dashboard) -> str:
    """The dashboard as a file holds it. Raises ValueError where the model does not take it back."""
    content = json.loads(_encoded(dashboard))
    refuse_unknown(content)
    for annotation in content["annotations"]["list"]:
        annotation.update(TITLES[annotation["name"]])
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def refuse_unknown(content: Json) -> None:
    """Raises ValueError when the SDK's model would lose or change anything of it."""
    try:
        kept = json.loads(_encoded(Dashboard.from_json(content)))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{content.get('title')} is not what Grafana's model reads") from error
    if kept != content:
        raise ValueError(f"{content.get('title')} is not what Grafana's model reads")


def _encoded(dashboard: Dashboard) -> str:
    return json.dumps(dashboard, cls=JSONEncoder)


def main(arguments: list[str] | None = None) -> int:
    """Write or check; 1 when a file is not what the generator says."""
    parser = argparse.ArgumentParser(prog="python -m monitoring.dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check: bool = parser.parse_args(arguments).check
    wanted = {f"{board.name}.json": text_of(board.build()) for board in BOARDS}
    found = {file.name: file for file in FOLDER.glob("*.json")}
    stale = {name for name in found if name not in wanted}
    for name, text in wanted.items():
        if name not in found or found[name].read_text(encoding="utf-8") != text:
            stale.add(name)
    if check:
        for name in sorted(stale):
            sys.stderr.write(f"monitoring/dashboards/grafana/{name}: run `make generate`\n")
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name in stale:
        if name in wanted:
            (FOLDER / name).write_text(wanted[name], encoding="utf-8")
        else:
            found[name].unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())

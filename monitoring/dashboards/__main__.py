"""`python -m monitoring.dashboards`: writes grafana/*.json, or says whether they are up to date."""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboards import autoscaling, batching, predictions, service

FOLDER: Final = Path(__file__).parent / "grafana"
BOARDS: Final = (service.BOARD, batching.BOARD, autoscaling.BOARD, predictions.BOARD)


def text_of(dashboard: Dashboard) -> str:
    """The dashboard as a file holds it. Raises ValueError where the model does not take it back."""
    text = json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
    again = Dashboard.from_json(json.loads(text))
    if json.dumps(again, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) != text:
        raise ValueError(f"{dashboard.title} is not what Grafana's model reads")
    return text + "\n"


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

"""What runs, as a table."""

import re
from pathlib import Path

from k8s.local import health, processes
from k8s.local.build import is_built
from k8s.local.components import ALL
from k8s.local.errors import last_lines
from k8s.local.places import LOGS

NO_CLUSTER = 3
"""An exit code, as systemctl's for a service that is not there."""


def show() -> int:
    """Print the table; 0 when everything runs, 1 when not, NO_CLUSTER where there is none."""
    records = processes.records()
    if not records:
        print("no cluster runs here: start it with `make cluster`")
        return NO_CLUSTER
    rows = [("process", "state", "memory", "version")]
    versions = {name: item.version for item in ALL if is_built(item) for name in item.programs}
    for record in records:
        program = re.sub(r"-\d+$", "", record.name)
        state = "runs" if record.alive() else "dead"
        rows.append((record.name, state, memory(record.id), versions.get(program, "?")))
    for name, ready in health.ready_nodes().items():
        rows.append((name, "ready" if ready else "not ready", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print(
            "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        )
    dead = [record.name for record in records if not record.alive()]
    for name in dead:
        print(f"\n{name} is dead; it logged last:\n{last_lines(LOGS / f'{name}.log', 8)}")
    return 1 if dead or not all(health.ready_nodes().values()) else 0


def memory(process: int) -> str:
    """Resident, in MiB, from proc(5)."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:
        return "-"
    found = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
    return f"{int(found[1]) // 1024} MiB" if found else "-"

"""A result as Markdown: for a pull request or a terminal."""

from typing import Any

import yaml  # type: ignore[import-untyped]

from loadtest import report
from loadtest.load_report import facts, tables
from nlpserve.load_tests import LoadTestResult


def markdown(result: LoadTestResult) -> str:
    """The verdict and its reasons first."""
    parts = [f"# {result.scenario.name}: {result.verdict}", result.scenario.description]
    parts.append("\n".join(f"- {reason.text}" for reason in result.reasons))
    headline = facts.headline(result)
    parts.append(", ".join(f"{name} {value}" for name, value in headline.items()))
    for table in tables.all_tables(result):
        rows: list[tuple[object, ...]] = [tuple(map(_cell, row)) for row in table.rows]
        parts += [f"## {table.title}", table.note, report.table(table.head, rows)]
    known: list[tuple[object, ...]] = [
        (name, _cell(value)) for name, value in facts.facts(result).items()
    ]
    parts += ["## Where it comes from", report.table(("", ""), known)]
    parts += ["## Scenario", f"```yaml\n{scenario(result)}```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def scenario(result: LoadTestResult) -> str:
    """As a file that runs it again."""
    plain: dict[str, Any] = result.scenario.model_dump(mode="json", exclude_none=True)
    text: str = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    return text

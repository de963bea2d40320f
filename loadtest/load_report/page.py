"""A result as one HTML page that needs nothing else: no script, no font, no address."""

from html import escape
from pathlib import Path
from typing import Final

from loadtest.load_report import facts, figures, markdown, tables
from nlpserve.load_tests import LoadTestResult

CSS: Final = Path(__file__).with_name("page.css")
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SAYS: Final = {
    "PASS": "The target met every objective, and nothing speaks against the measurement.",
    "FAIL": "The measurement is sound, and the target did not meet what was asked of it.",
    "INVALID": "This run cannot tell whether the target holds: the measurement itself is in doubt.",
}


def page(result: LoadTestResult) -> str:
    """The verdict first, then why, then what was seen."""
    title = f"{result.scenario.name}: {result.verdict}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{CSS.read_text(encoding='utf-8')}</style></head>",
        f'<body class="{result.verdict}">',
        _head(result),
        _numbers(facts.headline(result)),
        *(_table(table) for table in tables.all_tables(result)[:2]),
        _plots(result),
        *(_table(table) for table in tables.all_tables(result)[2:]),
        f"<h2>Where it comes from</h2>{_facts(facts.facts(result))}",
        f"<h2>Scenario</h2><pre>{escape(markdown.scenario(result))}</pre>",
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _head(result: LoadTestResult) -> str:
    reasons = "".join(
        f"<li>{escape(reason.text)} <code>{reason.code}</code></li>" for reason in result.reasons
    )
    return (
        f'<header><h1><span class="verdict">{result.verdict}</span>'
        f" {escape(result.scenario.name)}</h1><p>{escape(SAYS[result.verdict])}</p>"
        f"</header>{f'<ul class=reasons>{reasons}</ul>' if reasons else ''}"
        f'<p class="note">{escape(result.scenario.description)}</p>'
    )


def _numbers(numbers: dict[str, str]) -> str:
    rows = (f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in numbers.items())
    return f'<dl class="numbers">{"".join(rows)}</dl>'


def _table(table: tables.Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.head)
    rows = "".join(
        f"<tr{' class=no' if row[-1] == 'no' else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in table.rows
    )
    note = f'<p class="note">{escape(table.note)}</p>' if table.note else ""
    return (
        f'<h2>{escape(table.title)}</h2>{note}<div class="scroll"><table><thead><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _plots(result: LoadTestResult) -> str:
    wide, narrow = (figures.over_time(result, width) for width in (figures.WIDE, figures.NARROW))
    if not wide:
        return ""
    missing = "" if result.prometheus else "Prometheus gave nothing: no CPU, queue and batches."
    return (
        f'<h2>Over time</h2><p class="note">{missing}</p>'
        f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>'
    )


def _facts(found: dict[str, str]) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in found.items())
    return f'<dl class="facts">{"".join(rows)}</dl>'

"""From comments to schema and table."""

import json

import pytest

from k8s import chart_values
from k8s.chart_values import ValuesError, documents, read_values, schema_text, table_text

TEXT = """
# Number of things.
# @schema {minimum: 1}
things: 2
# A group
# of two lines.
# @schema {definition: group}
group:
  # A | in a comment.
  text: ""
  # Anything.
  free: {}
# By name.
# @schema {patternProperties: {"^[a-z]+$": {$ref: "#/definitions/group"}}}
named:
  one: {text: a}
"""


def schema(text=TEXT):
    return json.loads(schema_text(read_values(text)))


def test_types_defaults_and_bounds():
    assert schema()["properties"]["things"] == {
        "description": "Number of things.", "type": "integer", "default": 2, "minimum": 1,
    }  # fmt: skip


def test_unknown_values_are_errors_on_every_level():
    found = schema()
    assert found["additionalProperties"] is False
    assert found["definitions"]["group"]["additionalProperties"] is False
    assert found["properties"]["named"]["additionalProperties"] is False


def test_a_map_without_a_schema_is_free():
    free = schema()["definitions"]["group"]["properties"]["free"]
    assert free == {"description": "Anything.", "type": "object", "default": {}}


def test_a_definition_is_referred_to():
    assert schema()["properties"]["group"] == {"$ref": "#/definitions/group"}
    assert schema()["definitions"]["group"]["description"] == "A group of two lines."


def test_a_parent_charts_values_are_allowed():
    assert schema()["properties"]["global"]["type"] == "object"


def test_the_table_has_a_row_for_each_value_and_group():
    rows = [line for line in table_text(read_values(TEXT)).splitlines() if line.startswith("| `")]
    assert rows[0] == "| `things` | whole number from 1 | `2` | Number of things. |"
    assert rows[1] == "| `group` |  |  | A group of two lines. |"
    assert rows[2] == '| `group.text` | text | `""` | A \\| in a comment. |'
    assert len(rows) == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n", "a has no comment"),
        ("# A.\n\na: 1\n", "a has no comment"),
        ("# A.\na:\n  b: 1\n", "a.b has no comment"),
        ("# A.\na:\n  # @schema {minimum: 1}\n  b: 1\n", "a.b has no comment"),
        ("# A.\na: null\n", "a has a default of no known type"),
    ],
)
def test_a_value_that_cannot_be_documented_is_an_error(text, message):
    with pytest.raises(ValuesError, match=message):
        read_values(text)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "helm" / "chart"
    folder.mkdir(parents=True)
    (folder / "values.yaml").write_text(TEXT, "utf-8")
    marks = f"{chart_values.BEGIN}\n{chart_values.END}"
    (folder / "README.md").write_text(f"before\n{marks}\nafter\n", "utf-8")
    monkeypatch.setattr(chart_values, "CHART", folder)
    monkeypatch.setattr(chart_values, "documents", lambda: documents(folder))
    return folder


def test_what_is_written_passes_the_check(folder):
    chart_values.main(check=False)
    chart_values.main(check=True)
    text = (folder / "README.md").read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "`things`" in text


def test_a_stale_file_fails_the_check(folder, capsys):
    chart_values.main(check=False)
    (folder / "values.yaml").write_text(TEXT.replace("things: 2", "things: 3"), "utf-8")
    with pytest.raises(SystemExit):
        chart_values.main(check=True)
    assert "run `make generate`" in capsys.readouterr().err


def test_a_page_without_marks_is_an_error(folder):
    (folder / "README.md").write_text("nothing", "utf-8")
    with pytest.raises(SystemExit, match="does not hold the lines"):
        chart_values.main(check=True)

import pytest
import typer
from typer.testing import CliRunner

from bento.settings import Settings
from bento.settings_table import main, markdown, rows


@pytest.fixture
def command():
    app = typer.Typer()
    app.command()(main)

    def run(*arguments):
        return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "200"})

    return run


def test_every_setting_has_a_row_in_words():
    by_variable = {row.variable: row for row in rows()}
    assert set(by_variable) == {
        "NLPSERVE_SETTINGS_FILE",
        *(f"NLPSERVE_{name.upper()}" for name in Settings.model_fields),
    }
    assert all(row.kind and row.description for row in by_variable.values())
    assert by_variable["NLPSERVE_THREADS"].kind == "whole number from 0 to 256"
    assert by_variable["NLPSERVE_EXECUTION"].kind == "one of `auto`, `loop`, `thread`"
    assert by_variable["NLPSERVE_DEADLINE_SECONDS"].kind == "number above 0 to 600"
    assert by_variable["NLPSERVE_API_KEYS_FILE"].kind == "path"
    assert by_variable["NLPSERVE_API_KEYS"].kind == "secret"
    assert by_variable["NLPSERVE_QUEUE_LIMIT"].default == "2048"


def test_terminal_shows_them_all(command):
    shown = command()
    assert shown.exit_code == 0
    for row in rows():
        assert row.variable in shown.output


def test_page_is_a_table_with_a_note(command, tmp_path):
    page = tmp_path / "settings.md"
    assert command("--markdown", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert text == markdown()
    assert "Generated" in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == len(rows()) + 2
    assert {line.count(" | ") for line in table} == {3}


def test_check(command, tmp_path):
    page = tmp_path / "settings.md"
    assert command("--markdown", page, "--check").exit_code == 1
    command("--markdown", page)
    assert command("--markdown", page, "--check").exit_code == 0
    page.write_text(page.read_text(encoding="utf-8") + "more", encoding="utf-8")
    failed = command("--markdown", page, "--check")
    assert failed.exit_code == 1
    assert "make generate" in failed.output
    assert page.read_text(encoding="utf-8").endswith("more")


def test_check_needs_a_page(command):
    assert command("--check").exit_code == 2

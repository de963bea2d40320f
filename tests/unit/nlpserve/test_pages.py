"""Pages whose figures are generated."""

import pytest

from nlpserve import pages

PAGE = "before\n<!-- begin: a -->\nold\n<!-- end: a -->\nafter\n"


def test_a_part_is_replaced_and_nothing_else(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    wanted = pages.renewed(page, {"a": "new"})
    with pytest.raises(SystemExit) as ended:
        pages.write(wanted, source="it", check=True)
    assert ended.value.code == 1
    assert "page.md is not what it says: run `make generate`" in capsys.readouterr().err
    assert page.read_text() == PAGE
    pages.write(wanted, source="it", check=False)
    assert page.read_text() == PAGE.replace("old", "new")
    pages.write(wanted, source="it", check=True)


@pytest.mark.parametrize("text", ["nothing", "<!-- begin: a -->"])
def test_a_page_without_its_marks_is_an_error(text):
    with pytest.raises(ValueError, match="begin: a"):
        pages.filled(text, {"a": ""})

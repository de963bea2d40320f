"""Pages whose figures are generated."""

import pytest

from nlpserve import pages

PAGE = "before\n<!-- begin: a -->\nold\n<!-- end: a -->\nafter\n"


def test_a_part_is_replaced_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    assert not pages.fill(page, {"a": "new"}, check=True)
    assert page.read_text() == PAGE
    assert not pages.fill(page, {"a": "new"}, check=False)
    assert page.read_text() == PAGE.replace("old", "new")
    assert pages.fill(page, {"a": "new"}, check=True)


@pytest.mark.parametrize("text", ["nothing", "<!-- begin: a -->"])
def test_a_page_without_its_marks_is_an_error(text):
    with pytest.raises(ValueError, match="begin: a"):
        pages.filled(text, {"a": ""})

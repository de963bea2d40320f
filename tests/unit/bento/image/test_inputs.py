from pathlib import Path

import pytest

from bento.image.engines import ImageError
from bento.image.inputs import digest, selection

IGNORE = """# why
*
!LICENSE
!code
code/train
**/__pycache__
"""


@pytest.fixture
def tree(tmp_path):
    for name in ("LICENSE", "other", "code/a.py", "code/train/b.py", "code/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


def test_only_what_is_admitted(tree):
    chosen = [path.as_posix() for path in selection(IGNORE).files(tree)]
    assert chosen == ["LICENSE", "code/a.py"]


@pytest.mark.parametrize("text", ["", "!code\n", "*\n!code/*.py\n"])
def test_other_forms_are_refused(text):
    with pytest.raises(ImageError, match="must begin with"):
        selection(text)


def test_the_key_changes_with_content_names_and_words(tree):
    files = [Path("LICENSE"), Path("code/a.py")]
    keys = [digest(tree, iter(files), "base"), digest(tree, iter(files), "other")]
    keys.append(digest(tree, iter(files[:1]), "base"))
    (tree / "LICENSE").write_text("changed", encoding="utf-8")
    keys.append(digest(tree, iter(files), "base"))
    assert len(set(keys)) == 4
    (tree / "LICENSE").write_text("LICENSE", encoding="utf-8")
    assert digest(tree, iter(files), "base") == keys[0]

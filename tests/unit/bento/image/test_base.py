import pytest

from bento.image.base import LEFT_EMPTY, clean, read_sources
from bento.image.engines import ImageError

LISTED = """Debian|bookworm|main|http://a.example/debian/
Debian|bookworm|contrib|http://a.example/debian/
Debian|bookworm|main|http://a.example/debian/
Debian|bookworm-backports|main|http://a.example/debian/
Debian|bookworm-updates|main|http://a.example/debian/
Debian-Security|bookworm-security|main|http://b.example/debian-security/
Other|bookworm|main|https://c.example/
"""


def test_the_suite_with_its_updates_and_nobody_elses():
    found = read_sources(LISTED)
    assert (found.suite, found.mirror) == ("bookworm", "http://a.example/debian/")
    assert found.lines == (
        "deb http://a.example/debian/ bookworm main",
        "deb http://a.example/debian/ bookworm-updates main",
        "deb http://b.example/debian-security/ bookworm-security main",
    )


def test_without_debian_one_line_says_so():
    with pytest.raises(ImageError, match="BASE="):
        read_sources("Ubuntu|noble|main|http://a.example/\n")


def test_traces_of_the_machine_go(tmp_path):
    for name in ("etc/hostname", "etc/apt/sources.list", "var/log/bootstrap.log", "etc/passwd",
                 "var/lib/apt/lists/x_InRelease"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("http://a.example", encoding="utf-8")
    clean(tmp_path)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert left == [tmp_path / "etc/passwd"]
    assert all((tmp_path / name).is_dir() for name in LEFT_EMPTY)

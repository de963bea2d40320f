import hashlib
import json
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

import pytest

from bento.train import data
from bento.train.data import get_data
from bento.train.errors import TrainError, UnreachableError
from bento.train.sources import SOURCES, Source

ROWS = json.dumps([{"intent": "gare", "sentence": "le train part"}]).encode()
TABS = b"fine\t27\tx\nnice\t0\ty\n"
SOME = (
    Source("intents/train.json", "/o/r/HEAD/train.json", rows=1),
    Source("emotions/test.tsv", "/o/r/HEAD/test.tsv", 2, hashlib.sha256(TABS).hexdigest(), True),
    Source("emotions/labels.txt", "/o/r/HEAD/labels.txt", rows=2),
)
FILES = {SOME[0].url_path: ROWS, SOME[1].url_path: TABS, SOME[2].url_path: b"joy\nlove\n"}


def handler_of(files, failures=None, retry_after=None):
    left = dict(failures or {})

    class Handler(BaseHTTPRequestHandler):
        seen: ClassVar[list[str]] = []

        def do_GET(self):
            self.seen.append(self.path)
            if left.get(self.path, 0) > 0:
                left[self.path] -= 1
                self.send_response(503)
                if retry_after:
                    self.send_header("Retry-After", retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = files.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    return Handler


def fetch(folder, url, **options):
    return list(get_data(folder, download=True, base_url=url, sources=SOME, backoff=0, **options))


def leftovers(folder):
    return [path.name for path in folder.rglob(".*")]


def test_downloads_what_is_missing_and_only_that(tmp_path, serve):
    handler = handler_of(FILES)
    with serve(handler) as url:
        first = fetch(tmp_path, url)
        second = fetch(tmp_path, url + "/")
    assert [file.downloaded for file in first] == [True] * 3
    assert [file.downloaded for file in second] == [False] * 3
    assert [file.rows for file in second] == [1, 2, 2]
    assert all(file.published for file in second)
    assert len(handler.seen) == 3
    assert (tmp_path / "emotions/test.tsv").read_bytes() == TABS
    assert leftovers(tmp_path) == []


def test_tries_again_when_the_source_is_busy(tmp_path, serve):
    busy = handler_of(FILES, failures={SOME[0].url_path: 2}, retry_after="0")
    with serve(busy) as url:
        assert len(fetch(tmp_path, url)) == 3
    assert busy.seen.count(SOME[0].url_path) == 3


def test_gives_up_after_a_bounded_number_of_tries(tmp_path, serve):
    dead = handler_of(FILES, failures={SOME[0].url_path: 100})
    with serve(dead) as url, pytest.raises(UnreachableError, match=r"\[intents/.*answered 503"):
        fetch(tmp_path, url)
    assert len(dead.seen) == 6
    assert leftovers(tmp_path) == []


def test_a_missing_page_is_named(tmp_path, serve):
    with serve(handler_of({})) as url, pytest.raises(UnreachableError, match="answered 404"):
        fetch(tmp_path, url)
    assert not (tmp_path / "intents/train.json").exists()


def test_no_server_at_all(tmp_path):
    with pytest.raises(UnreachableError, match=r"cannot be fetched: .*[Rr]efused"):
        fetch(tmp_path, "http://127.0.0.1:9")


def test_a_damaged_download_is_not_kept(tmp_path, serve):
    files = FILES | {SOME[1].url_path: b"fine\t27\tx\nnasty\t0\ty\n"}
    with serve(handler_of(files)) as url, pytest.raises(TrainError, match="has sha256"):
        fetch(tmp_path, url)
    assert not (tmp_path / "emotions/test.tsv").exists()
    assert leftovers(tmp_path) == []


def test_a_download_of_another_length_is_not_kept(tmp_path, serve):
    files = FILES | {SOME[0].url_path: ROWS.replace(b"]", b"," + ROWS[1:])}
    with serve(handler_of(files)) as url, pytest.raises(TrainError, match="has 2 rows, not 1"):
        fetch(tmp_path, url)
    assert not (tmp_path / "intents/train.json").exists()
    assert leftovers(tmp_path) == []


def test_a_download_cut_short_is_not_kept(tmp_path, serve):
    class Cut(handler_of(FILES)):
        def do_GET(self):  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"[")

    with serve(Cut) as url, pytest.raises(UnreachableError, match="cannot be fetched"):
        fetch(tmp_path, url)
    assert list(tmp_path.rglob("*.json")) == []


def test_too_large_a_download_is_stopped(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(data, "MAX_BYTES", 10)
    with serve(handler_of(FILES)) as url, pytest.raises(TrainError, match="larger than 10 bytes"):
        fetch(tmp_path, url)
    assert list(tmp_path.rglob("*.json")) == []


def local(folder, **changes):
    for source in SOME:
        path = folder / source.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(changes.get(path.stem, FILES[source.url_path]))
    return get_data(folder, download=False, sources=SOME)


def test_a_local_copy_is_checked(tmp_path):
    assert [file.published for file in local(tmp_path)] == [True] * 3


def test_part_of_a_test_file_is_enough_but_not_of_others(tmp_path):
    assert [file.published for file in local(tmp_path, test=TABS[:10])] == [True, False, True]
    with pytest.raises(TrainError, match=r"\[emotions/labels.txt\] has 1 rows, not 2"):
        list(local(tmp_path, labels=b"joy\n"))


def test_what_is_wrong_with_a_local_copy_is_named(tmp_path):
    with pytest.raises(TrainError, match=r"\[intents/train.json\] \[row 1 -> intent\] is missing"):
        list(local(tmp_path, train=b"[{}]"))
    with pytest.raises(TrainError, match=r"\[emotions/test.tsv\] has sha256"):
        list(local(tmp_path, test=TABS.replace(b"nice", b"nasty")))
    with pytest.raises(TrainError, match="has 3 rows, not 2"):
        list(local(tmp_path, test=TABS + b"more\t1\tz\n"))
    list(local(tmp_path))
    (tmp_path / "emotions/labels.txt").unlink()
    with pytest.raises(TrainError, match=r"\[emotions/labels.txt\] is missing"):
        list(get_data(tmp_path, download=False, sources=SOME))
    with pytest.raises(TrainError, match="no such folder"):
        list(get_data(tmp_path / "none", download=False, sources=SOME))


def test_every_source_is_whole_or_a_test_file():
    assert len({source.name for source in SOURCES}) == len(SOURCES)
    assert all(source.url_path.startswith("/") for source in SOURCES)
    partial = {source.name for source in SOURCES if source.part_is_enough}
    assert partial == {
        "french-intents/test.json",
        "french-intents/pretrained_predictions.json",
        "goemotions/test.tsv",
    }

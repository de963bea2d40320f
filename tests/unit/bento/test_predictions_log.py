import hashlib
import hmac
import io
import json
import re
import threading
from datetime import datetime, timedelta

import pytest

from bento.predictions_log import format_line, open_predictions_log
from bento.settings import Settings

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{6}")


class BlockedOutput(io.StringIO):
    """A terminal or pipe that takes nothing until it is let go."""

    def __init__(self):
        super().__init__()
        self.reached = threading.Event()
        self.go = threading.Event()

    def write(self, text):
        self.reached.set()
        assert self.go.wait(10)
        return super().write(text)


@pytest.fixture
def open_log(tmp_path):
    """Opens a log into tmp_path/log.txt; `log.drops` counts what was lost."""
    opened = []

    def build(mode="text", **settings):
        chosen = {"predictions_log_file": str(tmp_path / "log.txt")} | settings
        drops = []
        log = open_predictions_log(
            Settings(predictions_log=mode, **chosen), lambda: drops.append(1)
        )
        opened.append(log)
        return log, drops

    yield build
    for log in opened:
        log.close()


@pytest.fixture
def lines(tmp_path):
    def read(name="log.txt"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.endswith("\n")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    return read


def test_fields_of_the_origin_and_the_model(open_log, lines):
    log, _ = open_log()
    before = datetime.now()
    log.prediction("emotion", 'Merci "beaucoup"\n été 👍\0', "joy")
    log.rejection("The body is empty.")
    log.close()
    answered, rejected = lines()
    assert list(answered) == ["time", "text", "prediction", "model"]
    assert answered["text"] == 'Merci "beaucoup"\n été 👍\0'
    assert (answered["prediction"], answered["model"]) == ("joy", "emotion")
    assert list(rejected) == ["time", "error"]
    assert rejected["error"] == "The body is empty."
    for line in (answered, rejected):
        assert TIME.fullmatch(line["time"])
        written = datetime.strptime(line["time"], "%Y-%m-%d %H:%M:%S:%f")
        assert abs(written - before) < timedelta(minutes=1)


def test_time_format_to_the_letter():
    moment = datetime(2023, 5, 23, 0, 58, 45, 748136).timestamp()
    assert format_line(moment, {"text": "é"}) == (
        '{"time": "2023-05-23 00:58:45:748136", "text": "é"}'
    )


def test_hash_mode_writes_an_hmac_and_never_the_text(open_log, lines, tmp_path):
    log, _ = open_log("hash", predictions_log_key="of this deployment")
    for _ in range(2):
        log.prediction("intent", "mon secret", "alpha")
    log.prediction("intent", "autre chose", "alpha")
    log.close()
    expected = hmac.new(b"of this deployment", b"mon secret", hashlib.sha256).hexdigest()
    texts = [line["text"] for line in lines()]
    assert texts[:2] == [expected, expected]
    assert texts[2] != expected
    assert "secret" not in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_off_opens_nothing(tmp_path):
    file = tmp_path / "log.txt"
    settings = Settings(predictions_log="off", predictions_log_file=str(file))
    assert open_predictions_log(settings, lambda: None) is None
    assert not file.exists()


def test_rotation_keeps_whole_lines_and_so_many_files(open_log, lines, tmp_path):
    log, _ = open_log(predictions_log_max_bytes=500, predictions_log_backups=2)
    for number in range(50):
        log.prediction("intent", f"phrase {number}", "alpha")
    log.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log.txt", "log.txt.1", "log.txt.2"]
    assert all((tmp_path / name).stat().st_size <= 500 for name in names)
    kept = [line["text"] for name in reversed(names) for line in lines(name)]
    assert kept == [f"phrase {number}" for number in range(50 - len(kept), 50)]


def test_existing_file_is_continued(open_log, lines):
    for text in ("un", "deux"):
        log, _ = open_log()
        log.prediction("intent", text, "alpha")
        log.close()
    assert [line["text"] for line in lines()] == ["un", "deux"]


def test_standard_output(open_log, capsys):
    log, _ = open_log(predictions_log_file="-")
    log.prediction("intent", "bonjour", "alpha")
    log.close()
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["text"] == "bonjour"
    print("still open")
    assert capsys.readouterr().out == "still open\n"


def test_full_queue_drops_and_counts_without_blocking(open_log, monkeypatch):
    output = BlockedOutput()
    monkeypatch.setattr("sys.stdout", output)
    log, drops = open_log(predictions_log_file="-", predictions_log_queue=3)
    log.prediction("intent", "first", "alpha")
    assert output.reached.wait(5)
    for number in range(10):  # would hang here if it blocked
        log.prediction("intent", f"text {number}", "alpha")
    assert len(drops) == 7
    output.go.set()
    log.close()
    texts = [json.loads(line)["text"] for line in output.getvalue().splitlines()]
    assert texts == ["first", "text 0", "text 1", "text 2"]


def test_close_flushes_what_waits(open_log, lines):
    log, drops = open_log()
    for number in range(2000):
        log.prediction("intent", str(number), "alpha")
    log.close()
    assert [line["text"] for line in lines()] == [str(number) for number in range(2000)]
    assert drops == []


def test_close_is_bounded_when_the_output_hangs(open_log, monkeypatch):
    monkeypatch.setattr("bento.predictions_log.CLOSE_SECONDS", 0.02)
    output = BlockedOutput()
    monkeypatch.setattr("sys.stdout", output)
    log, _ = open_log(predictions_log_file="-", predictions_log_queue=1)
    log.prediction("intent", "first", "alpha")
    assert output.reached.wait(5)
    log.prediction("intent", "second", "alpha")
    log.close()
    output.go.set()


def test_lines_after_the_close_count_as_lost(open_log, lines):
    log, drops = open_log()
    log.prediction("intent", "in time", "alpha")
    log.close()
    log.prediction("intent", "too late", "alpha")
    log.close()
    assert [line["text"] for line in lines()] == ["in time"]
    assert drops == [1]


def test_concurrent_writers_give_whole_lines(open_log, lines):
    log, drops = open_log()

    def write(name):
        for number in range(100):
            log.prediction("intent", f"{name} {number} " + "x" * 200, "alpha")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    log.close()
    texts = [line["text"].split()[:2] for line in lines()]
    for name in "abcd":
        assert [int(number) for who, number in texts if who == name] == list(range(100))
    assert drops == []


def test_write_that_fails_counts_as_lost_and_shows_no_text(open_log, monkeypatch, capsys):
    class FullDisk(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", FullDisk())
    log, drops = open_log(predictions_log_file="-")
    log.prediction("intent", "my secret", "alpha")
    log.prediction("intent", "my secret", "alpha")
    log.close()
    assert len(drops) == 2
    assert "secret" not in capsys.readouterr().err


def test_folder_that_is_not_there_is_an_error_at_the_start(tmp_path):
    settings = Settings(predictions_log="text", predictions_log_file=str(tmp_path / "a" / "b"))
    with pytest.raises(OSError, match="a/b"):
        open_predictions_log(settings, lambda: None)


def test_a_log_that_cannot_be_rotated_says_so_and_counts(open_log, tmp_path, monkeypatch, caplog):
    log, drops = open_log(predictions_log_max_bytes=1000)

    def busy(_handler, source, target):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr("logging.handlers.RotatingFileHandler.rotate", busy)
    for _ in range(30):
        log.prediction("emotion", "x" * 100, "joy")
    log.close()
    written = (tmp_path / "log.txt").read_text(encoding="utf-8").count("\n")
    assert 0 < written < 30
    assert len(drops) == 30 - written
    assert [record.message for record in caplog.records if "rotated" in record.message] == [
        "The prediction log cannot be rotated, its lines are lost: [Errno 16] Device or resource"
        " busy"
    ]


def test_long_texts_that_wait_are_bounded_too(open_log, monkeypatch):
    output = BlockedOutput()
    monkeypatch.setattr("sys.stdout", output)
    monkeypatch.setattr("bento.predictions_log.QUEUE_CHARACTERS", 1000)
    log, drops = open_log(predictions_log_file="-")
    log.prediction("emotion", "first", "joy")
    assert output.reached.wait(10)
    for _ in range(5):
        log.prediction("emotion", "x" * 300, "joy")
    output.go.set()
    log.close()
    assert len(drops) == 2
    assert output.getvalue().count("\n") == 4

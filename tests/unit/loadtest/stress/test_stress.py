import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.spec import SpecError
from loadtest.stress import plots, preflight
from loadtest.stress.answers import wrong
from loadtest.stress.spec import Route, StressSpec

ROOT = Path(__file__).parents[4]


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as made:
        return made.getsockname()[1]


def spec(listener, tmp_path, **given):
    facts = {
        "host": f"http://127.0.0.1:{listener.getsockname()[1]}", "user_count": 2, "spawn_rate": 1,
        "length": 3, "route": Route.EMOTION, "out": tmp_path / "out", "web_port": free_port(),
        "timeout": 5,
    }  # fmt: skip
    return StressSpec(**(facts | given))


@pytest.mark.parametrize(
    ("status", "body", "route", "said"),
    [
        (200, b'{"prediction": "joy"}', Route.EMOTION, None),
        (200, b'{"a": 0.25, "b": 1}', Route.INTENT, None),
        (200, b'{"prediction": 1}', Route.EMOTION, "not the answer of emotion"),
        (200, b'{"a": "b"}', Route.INTENT, "not the answer of intent"),
        (200, b"{}", Route.INTENT, "not the answer of intent"),
        (200, b"[]", Route.EMOTION, "not the answer of emotion"),
        (200, b"\xff" * 500, Route.EMOTION, "not the answer of emotion"),
        (503, b'{"prediction": "joy"}', Route.EMOTION, "status 503"),
        (201, b'{"prediction": "joy"}', Route.EMOTION, "status 201"),
        (0, None, Route.INTENT, "no answer"),
    ],
)
def test_only_the_routes_own_answer_is_right(status, body, route, said):
    found = wrong(status, body, route)
    assert (found is None) if said is None else found.startswith(said)
    assert found is None or len(found) < 120


def test_the_options_are_the_origins(monkeypatch, listener, tmp_path):
    started = []
    monkeypatch.setattr(os, "execv", lambda *words: started.append(words))
    host = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    rest = ["--host", host, "--out", str(tmp_path), "--web-port", str(free_port())]
    given = (
        ["-u", "7", "-r", "3", "-l", "9"],
        ["--user_count", "7", "--spawn_rate", "3", "--length", "9"],
        [],
    )
    for words in given:
        done = CliRunner().invoke(app, ["stress", *words, *rest])
        assert done.exit_code == 0, done.output
    specs = [json.loads(command[-1]) for _, command in started]
    found = [(each["user_count"], each["spawn_rate"], each["length"]) for each in specs]
    assert found == [(7, 3, 9), (7, 3, 9), (1, 1, 30)]
    assert {each["host"] for each in specs} == {host.rstrip("/")}
    assert started[0][1][1:3] == ["-m", "loadtest.stress"]


def test_what_cannot_work_is_said_before_anything_starts(listener, tmp_path):
    preflight.check(spec(listener, tmp_path))
    port = listener.getsockname()[1]
    with pytest.raises(SpecError, match=f"page cannot listen on 127.0.0.1:{port}: .*--web-port"):
        preflight.check(spec(listener, tmp_path, web_port=port))
    with pytest.raises(SpecError, match=r"nobody answers at http://127\.0\.0\.1:\d+: .*refused"):
        preflight.check(spec(listener, tmp_path, host=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(SpecError, match=r"host: .*[Pp]ort"):
        preflight.check(spec(listener, tmp_path, host="http://127.0.0.1:99999"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SpecError, match=r"out: .* cannot be a folder"):
        preflight.check(spec(listener, tmp_path, out=tmp_path / "file"))


def test_more_users_than_open_files_are_refused(tmp_path):
    words = ["stress", "-u", "500", "--host", "http://127.0.0.1:1", "--out", str(tmp_path)]
    limited = ["sh", "-c", 'ulimit -n 300; exec "$0" -m loadtest "$@"', sys.executable, *words]
    done = subprocess.run(
        [*limited, "--web-port", str(free_port())],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "500 users need 700 open files and 300 are allowed" in done.stderr


def test_wrong_options_are_named_together(monkeypatch):
    done = CliRunner().invoke(app, ["stress", "-u", "0", "-r", "0", "--host", "localhost"])
    assert isinstance(done.exception, SpecError)
    lines = str(done.exception).splitlines()
    assert [line.split(":")[0] for line in lines] == ["host", "user-count", "spawn-rate"]


def test_the_five_plots_are_drawn_from_the_history(tmp_path):
    history = tmp_path / "_stats_history.csv"
    with history.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["Timestamp", "Name", *plots.PLOTS])
        writer.writeheader()
        for second in range(3):
            values = dict.fromkeys(plots.PLOTS, second)
            writer.writerow({"Timestamp": 1000 + second, "Name": "Aggregated", **values})
            writer.writerow({"Timestamp": 1000 + second, "Name": "/", **dict.fromkeys(values, 99)})
    columns = plots.read(history)
    assert columns["Timestamp"] == [0, 1, 2]
    assert columns["Requests/s"] == [0, 1, 2]
    drawn = plots.draw(history, tmp_path)
    assert sorted(path.name for path in drawn) == [
        "Failures_per_s.png", "Requests_per_s.png", "Total Average Response Time.png",
        "Total Failure Count.png", "Total Request Count.png",
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_a_history_without_rows_is_drawn_too(tmp_path):
    history = tmp_path / "_stats_history.csv"
    history.write_text(",".join(["Timestamp", "Name", *plots.PLOTS]) + "\n")
    assert len(plots.draw(history, tmp_path)) == 5

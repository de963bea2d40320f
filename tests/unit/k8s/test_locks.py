"""Who waits for another command is told so, once, and not for ever."""

import threading

import pytest

from k8s.local import build, images
from k8s.local.components import HELM
from k8s.local.errors import Busy
from k8s.local.locks import locked
from nlpserve import locks


def test_a_free_lock_says_nothing(tmp_path, capsys):
    for _ in range(2):
        with locked(tmp_path / "new" / "lock", "another build", 0):
            pass
    assert capsys.readouterr().err == ""


def test_who_waits_is_told_once_and_comes_next(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(locks, "BETWEEN_LOOKS", 0.01)
    file, looked, order = tmp_path / "lock", threading.Event(), []
    looks = iter(range(100))
    take = locks.take

    def counted(lock):
        taken = take(lock)
        if not taken and next(looks) == 2:
            looked.set()
        return taken

    def second():
        with locked(file, "another build", 30):
            order.append("second")

    with locked(file, "another build", 0):
        monkeypatch.setattr(locks, "take", counted)
        thread = threading.Thread(target=second)
        thread.start()
        assert looked.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]
    assert capsys.readouterr().err == "waiting for another build to end\n"


def test_nobody_waits_for_ever(tmp_path):
    file = tmp_path / "lock"
    with (
        locked(file, "another build", 0),
        pytest.raises(Busy, match=f"another build did not end: not within 0 s; the lock is {file}"),
        locked(file, "another build", 0),
    ):
        pass


def test_the_lock_goes_with_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock", "another build", 0):
        1 / 0  # noqa: B018
    with locked(tmp_path / "lock", "another build", 0):
        pass


@pytest.fixture
def building(tmp_path, monkeypatch):
    """Another command builds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(build, "LONGEST_BUILD", 0)
    with build.building():
        yield


@pytest.mark.usefixtures("building")
def test_what_is_built_waits_for_no_build(capsys):
    build.folder_of(HELM).mkdir(parents=True)
    build.build([HELM])
    archive = images.PAUSE_IMAGE.archive
    archive.parent.mkdir(parents=True)
    archive.touch()
    images.build([images.PAUSE_IMAGE])
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("building")
def test_what_is_not_built_waits():
    with pytest.raises(Busy):
        build.build([HELM])
    with pytest.raises(Busy):
        images.build([images.PAUSE_IMAGE])

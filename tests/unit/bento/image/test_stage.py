import os
import py_compile
import sys

import pytest

from bento.image import stage


def test_everything_gets_one_time_and_modes_that_anyone_can_read(tmp_path):
    target = tmp_path / "target"
    (target / "folder").mkdir(parents=True, mode=0o700)
    for name, mode in (("plain", 0o600), ("program", 0o700), ("shared", 0o664)):
        (target / "folder" / name).touch(mode)
        (target / "folder" / name).chmod(mode)
    (target / "link").symlink_to("/nowhere")
    stage.settle(target)
    found = {path.name: path.lstat() for path in [target, *target.rglob("*")]}
    assert {status.st_mtime for status in found.values()} == {stage.TIME}
    modes = {name: status.st_mode & 0o777 for name, status in found.items() if name != "link"}
    assert modes == {
        "target": 0o755, "folder": 0o755, "plain": 0o644, "program": 0o755, "shared": 0o644,
    }  # fmt: skip


def test_bytecode_lies_where_python_looks_and_knows_no_time(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "test").mkdir(parents=True)
    (source / "test/left_out.py").write_text("", encoding="utf-8")
    (source / "module.py").write_text("VALUE = 1\n", encoding="utf-8")
    place = tmp_path / "app"  # not where the source is now
    contents = []
    for time in (1e9, 1.5e9):
        os.utime(source / "module.py", (time, time))
        stage.compile_below(source, place, target)
        cached = (
            target / str(place)[1:] / "__pycache__" / f"module.{sys.implementation.cache_tag}.pyc"
        )
        contents.append(cached.read_bytes())
    assert contents[0] == contents[1]
    assert contents[0][4] == 0b01  # checked by no source: PEP 552
    assert str(place / "module.py").encode() in contents[0]
    assert [path.name for path in target.rglob("*.pyc")] == [cached.name]


def test_our_own_modules_must_compile(tmp_path):
    (tmp_path / "broken.py").write_text("def\n", encoding="utf-8")
    with pytest.raises(py_compile.PyCompileError):
        stage.compile_below(tmp_path, stage.APPLICATION / "bento", tmp_path / "target")
    stage.compile_below(tmp_path, stage.ENVIRONMENT / "lib", tmp_path / "target")
    assert not list((tmp_path / "target").rglob("*.pyc"))

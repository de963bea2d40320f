"""The records of what was started, which are read while others come and go."""

import json
import os
from dataclasses import asdict

from k8s.local import processes
from k8s.local.processes import Record


def test_a_record_that_goes_while_the_others_are_read_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(processes, "PROCESSES", tmp_path)
    mine = Record("etcd", os.getpid(), processes.start_time(os.getpid()), "")
    (tmp_path / "etcd.json").write_text(json.dumps(asdict(mine)))
    (tmp_path / "kube-apiserver.json").symlink_to(tmp_path / "gone")  # listed, and not there
    assert processes.records() == [mine]
    assert processes.find("etcd") == mine
    assert processes.find("kube-apiserver") is None

"""What `status` says where there is no cluster; the rest is tested on a real one."""

from k8s.local import processes, status


def test_no_cluster_has_an_exit_code_of_its_own(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(processes, "PROCESSES", tmp_path)
    assert status.show() == 3
    assert "start it with `make cluster`" in capsys.readouterr().out

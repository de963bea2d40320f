import json

from bento.image.bill import bill_of_materials, debian_packages, interpreter, models

STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
Description: libraries
 Version: of nothing

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1
"""


def test_installed_packages_only():
    (found,) = debian_packages(STATUS)
    assert (found["name"], found["version"]) == ("libc6", "2.36-9+deb12u10")
    assert found["purl"] == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64"


def test_models_come_with_licence_and_hashes(tmp_path):
    (tmp_path / "topics").mkdir()
    manifest = {"name": "topics", "version": "1.0.0", "licence": "MIT", "files": {"a": "0" * 64}}
    (tmp_path / "topics/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (found,) = models(tmp_path)
    assert found["licenses"] == [{"license": {"name": "MIT"}}]
    assert found["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]


def test_the_root_depends_on_what_nothing_else_needs(tmp_path, monkeypatch):
    listed = {
        "metadata": {},
        "components": [],
        "dependencies": [{"ref": "a", "dependsOn": ["b"]}, {"ref": "b"}],
    }
    status = tmp_path / "status"
    status.write_text(STATUS, encoding="utf-8")
    monkeypatch.setattr("bento.image.bill.python_packages", lambda _: listed)
    monkeypatch.setattr("bento.image.bill.STATUS", status)
    (tmp_path / "nlpserve").mkdir()
    (tmp_path / "nlpserve/__init__.py").write_text('__version__ = "7.8.9"\n', encoding="utf-8")
    bill = bill_of_materials(tmp_path, tmp_path, tmp_path / "none")
    assert bill["metadata"]["component"]["version"] == "7.8.9"
    (root,) = [entry for entry in bill["dependencies"] if entry["ref"] == "nlpserve"]
    python = interpreter()["bom-ref"]  # this status knows no packaged Python
    assert root["dependsOn"] == ["a", "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64", python]

import configparser

from bento.image import lending

LISTED = """global.index-url='https://a.example/simple'
install.index-url='https://b.example/simple'
global.cert='/nowhere.pem'
:env:.index-url='https://c.example/simple'
freeze.timeout='10'
"""


def test_the_environment_wins():
    assert lending.parse(LISTED) == {
        "index-url": "https://c.example/simple",
        "cert": "/nowhere.pem",
    }
    without = "\n".join(LISTED.splitlines()[:3])
    assert lending.parse(without)["index-url"] == "https://b.example/simple"


def test_certificates_are_what_pip_trusts_then_what_others_do(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    other = tmp_path / "other.pem"
    other.touch()
    told = {"SSL_CERT_FILE": str(other)}
    assert lending.certificates({"cert": str(bundle)}, told) == bundle
    assert lending.certificates({"cert": "/nowhere.pem"}, told) == other
    assert lending.certificates({}, {}) is None


def test_the_lent_file_names_the_certificates_where_they_are_mounted(tmp_path, monkeypatch):
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    found = {"cert": str(bundle), "index-url": "https://a.example/100%25", "find-links": "/here"}
    monkeypatch.setattr(lending, "pip_settings", lambda: found)
    secrets = lending.lend(tmp_path)
    assert secrets["certificates"] == bundle
    file = configparser.RawConfigParser()
    file.read(secrets["pip"])
    assert dict(file["global"]) == {
        "index-url": "https://a.example/100%25",
        "cert": lending.CERTIFICATES,
    }

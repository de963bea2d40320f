import pytest

from bento.preflight import check_start
from bento.settings import load_settings


@pytest.fixture
def setting(monkeypatch):
    load_settings.cache_clear()
    yield lambda name, value: monkeypatch.setenv(f"NLPSERVE_{name}", str(value))
    load_settings.cache_clear()


def test_good_start_gives_the_settings(setting, artifact):
    setting("MODELS", f"intent={artifact('intent')}")
    assert list(check_start().model_folders()) == ["intent"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("QUEUE_LIMIT", "0", "NLPSERVE_QUEUE_LIMIT"),
        ("QUEUES", "3", "NLPSERVE_QUEUES"),
        ("MODELS", "intent=nowhere", "nowhere"),
        ("API_KEYS", ",", "NLPSERVE_API_KEYS"),
        ("API_KEYS_FILE", "nowhere.txt", "nowhere.txt"),
        ("SETTINGS_FILE", "nowhere.toml", "NLPSERVE_SETTINGS_FILE"),
    ],
)
def test_bad_start_stops_with_one_line(setting, artifact, name, value, words):
    setting("MODELS", f"intent={artifact('intent')}")
    setting(name, value)
    with pytest.raises(SystemExit) as stopped:
        check_start()
    message = stopped.value.code
    assert message.startswith("nlpserve: ")
    assert words in message
    assert "\n" not in message

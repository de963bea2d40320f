import pytest

from bento import settings as module
from bento.settings import SHIPPED_MODELS, Settings, SettingsError, available_cpus, load_settings


@pytest.fixture
def setting(monkeypatch):
    """Sets NLPSERVE_ variables, `setting(QUEUE_LIMIT=5)`."""
    load_settings.cache_clear()

    def put(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"NLPSERVE_{name}", str(value))

    yield put
    load_settings.cache_clear()


@pytest.fixture
def toml(setting, tmp_path):
    """Writes the settings file and names it."""

    def write(text):
        file = tmp_path / "nlpserve.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        setting(SETTINGS_FILE=file)

    return write


def refused():
    with pytest.raises(SettingsError) as excinfo:
        load_settings()
    message = str(excinfo.value)
    assert "\n" not in message
    return message


def test_defaults_are_valid_and_safe(setting):
    chosen = load_settings()
    assert chosen.model_folders() == {
        "intent": SHIPPED_MODELS / "intent",
        "emotion": SHIPPED_MODELS / "emotion",
    }
    assert chosen.keep_alive_seconds == 75
    assert chosen.predictions_log == "off"
    assert chosen.api_keys.get_secret_value() == ""


def test_environment(setting):
    setting(QUEUE_LIMIT=512, DRAIN_SECONDS="0.5", MODELS="intent, mine=/srv/mine", EXECUTION="loop")
    chosen = load_settings()
    assert chosen.queue_limit == 512
    assert chosen.drain_seconds == 0.5
    assert chosen.execution == "loop"
    assert {name: str(folder) for name, folder in chosen.model_folders().items()} == {
        "intent": str(SHIPPED_MODELS / "intent"),
        "mine": "/srv/mine",
    }


def test_file(toml):
    toml('queue_limit = 300\nmodels = "intent"\napi_keys = "quiet"\n')
    chosen = load_settings()
    assert chosen.queue_limit == 300
    assert list(chosen.model_folders()) == ["intent"]
    assert chosen.api_keys.get_secret_value() == "quiet"


def test_environment_wins_over_the_file(toml, setting):
    toml("queue_limit = 300\nmax_texts = 11\n")
    setting(QUEUE_LIMIT=400)
    assert (load_settings().queue_limit, load_settings().max_texts) == (400, 11)


def test_arguments_win_over_both(toml, setting):
    toml("queue_limit = 300")
    setting(QUEUE_LIMIT=400)
    assert Settings(queue_limit=500).queue_limit == 500


def test_unknown_variable_is_refused(setting):
    setting(QUEUE_LIMITS=5)
    assert refused() == "NLPSERVE_QUEUE_LIMITS: there is no such setting"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUEUE_LIMIT", "many"),
        ("QUEUE_LIMIT", "0"),
        ("QUEUE_LIMIT", "1.5"),
        ("THREADS", "-1"),
        ("DEADLINE_SECONDS", "0"),
        ("DEADLINE_SECONDS", "nan"),
        ("DEADLINE_SECONDS", "inf"),
        ("DRAIN_SECONDS", "-1"),
        ("EXECUTION", "gpu"),
        ("PREDICTIONS_LOG", "on"),
        ("MAX_JSON_DEPTH", "1000"),
        ("MAX_BODY_BYTES", "5"),
    ],
)
def test_wrong_value_names_its_variable(setting, name, value):
    setting(**{name: value})
    assert refused().startswith(f"NLPSERVE_{name}: ")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"PREDICTIONS_LOG": "hash"}, "predictions_log_key"),
        ({"MAX_BATCH_SIZE": 65, "QUEUE_LIMIT": 64, "MAX_TEXTS": 1}, "max_batch_size"),
        ({"MAX_TEXTS": 65, "QUEUE_LIMIT": 64}, "max_texts"),
        ({"MAX_BODY_BYTES": 4096, "MAX_OPEN_BODY_BYTES": 2048}, "max_open_body_bytes"),
        ({"MODELS": ""}, "names no model"),
        ({"MODELS": " , "}, "names no model"),
        ({"MODELS": "intent,intent=/srv/x"}, "'intent' twice"),
        ({"MODELS": "=/srv/x"}, "''"),
        ({"MODELS": "In Tent"}, "'In Tent'"),
        ({"MODELS": "../intent"}, "'../intent'"),
    ],
)
def test_settings_that_do_not_fit_together(setting, values, words):
    setting(**values)
    assert words in refused()


def test_file_that_is_not_there(setting, tmp_path):
    setting(SETTINGS_FILE=tmp_path / "nowhere.toml")
    assert refused().startswith("NLPSERVE_SETTINGS_FILE: ")


@pytest.mark.parametrize("text", ["queue_limit 3", "[", b"\xff\xfe", 'a = "\x00"'])
def test_file_that_is_not_toml(toml, text):
    toml(text)
    assert refused().startswith("NLPSERVE_SETTINGS_FILE: ")


@pytest.mark.parametrize("text", ["queue_limits = 3", "[queue_limit]\na = 1", 'threads = "many"'])
def test_file_with_a_wrong_setting(toml, text):
    toml(text)
    assert refused().startswith("NLPSERVE_")


def test_secrets_are_never_shown(setting):
    setting(API_KEYS="k3y-one,k3y-two", PREDICTIONS_LOG="hash", PREDICTIONS_LOG_KEY="k3y-three")
    chosen = load_settings()
    for shown in (repr(chosen), str(chosen), str(chosen.model_dump()), chosen.model_dump_json()):
        assert "k3y" not in shown


def test_secrets_are_not_shown_in_errors(setting):
    setting(API_KEYS="k3y-one", PREDICTIONS_LOG_KEY="k3y-two", QUEUE_LIMIT="k3y-three")
    assert "k3y" not in refused()


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Settings().threads = 3


def quota(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("cpu_max", "cpu.max").replace(
            "cfs", "cpu.cfs"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return module._cgroup_quota(root)


def test_quota_of_version_2(tmp_path):
    assert quota(tmp_path, cpu_max="150000 100000\n") == 1.5
    assert quota(tmp_path, cpu_max="max 100000\n") is None


def test_quota_of_version_1(tmp_path):
    period = {"cpu__cfs_period_us": "100000\n"}
    assert quota(tmp_path, cpu__cfs_quota_us="250000\n", **period) == 2.5
    assert quota(tmp_path, cpu__cfs_quota_us="-1\n", **period) is None


def test_no_quota(tmp_path):
    assert quota(tmp_path) is None
    assert quota(tmp_path, cpu_max="") is None


@pytest.mark.parametrize(
    ("limit", "cpus"), [(0.1, 1), (1.0, 1), (1.5, 2), (2.0, 2), (64.0, 4), (None, 4)]
)
def test_threads_follow_the_limit_rounded_up(monkeypatch, limit, cpus):
    monkeypatch.setattr(module.os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(module, "_cgroup_quota", lambda: limit)
    assert available_cpus() == cpus
    assert Settings().model_threads() == cpus
    assert Settings(threads=9).model_threads() == 9

import pytest

from bento.edge.keys import Keys
from bento.settings import Settings

OPEN = [
    "/", "/docs", "/docs.json", "/metrics", "/livez", "/healthz", "/readyz", "/v2/health/live",
    "/v2/health/ready", "/v2/models/intent/ready", "/static_content/logo.svg",
]  # fmt: skip
CLOSED = [
    ("GET", "/api/intent"), ("POST", "/"), ("GET", "/v1/models"), ("GET", "/v2"),
    ("POST", "/v1/models/intent/classify"), ("POST", "/v2/models/intent/infer"),
    ("POST", "/classify"), ("GET", "/schema.json"), ("GET", "/nowhere"),
]  # fmt: skip


@pytest.fixture
async def locked(open_app):
    async with open_app(api_keys="old key, new-key ,") as house:
        yield house


@pytest.mark.parametrize("path", OPEN)
async def test_probes_metrics_and_pages_stay_open(locked, path):
    assert (await locked.get(path)).status == 200


@pytest.mark.parametrize(("method", "path"), CLOSED)
async def test_everything_else_wants_a_key(locked, method, path):
    answer = await locked.ask(method, path)
    assert answer.status == 401
    assert answer.header("www-authenticate") == "Bearer"
    assert locked.inner.seen == []


@pytest.mark.parametrize("key", ["old key", "new-key"])
@pytest.mark.parametrize("style", ["x-api-key", "bearer", "BEARER"])
async def test_each_key_opens_in_either_header(locked, key, style):
    headers = {"x_api_key": key} if style == "x-api-key" else {"authorization": f"{style} {key}"}
    assert (await locked.get("/v1/models", **headers)).status == 200


async def test_whatever_is_wrong_gets_the_same_words(locked):
    wrong = [
        {},
        {"x_api_key": ""},
        {"x_api_key": "old"},
        {"x_api_key": "old key, new-key"},
        {"x_api_key": "NEW-KEY"},
        {"authorization": "Bearer"},
        {"authorization": "Basic new-key"},
        {"authorization": "new-key"},
        {"authorization": "Bearer né"},
    ]
    problems = [(await locked.get("/v1/models", **headers)).problem() for headers in wrong]
    assert len({problem["detail"] for problem in problems}) == 1
    series = await locked.series()
    assert series["nlpserve_rejected_total", "none", "unauthorized"] == len(wrong)


async def test_without_keys_everything_is_answered(house):
    assert (await house.get("/v1/models")).status == 200


async def test_keys_come_from_a_file_beside_the_setting(open_app, tmp_path):
    file = tmp_path / "keys"
    file.write_text("\nfirst\n  second  \n\n", encoding="utf-8")
    async with open_app(api_keys="third", api_keys_file=file) as house:
        for key in ("first", "second", "third"):
            assert (await house.get("/v1/models", x_api_key=key)).status == 200
        assert (await house.get("/v1/models", x_api_key="")).status == 401


def test_file_without_a_key_is_refused(tmp_path):
    file = tmp_path / "keys"
    file.write_text("\n \n", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no key"):
        Keys(Settings(api_keys_file=file))


def test_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        Keys(Settings(api_keys_file=tmp_path / "nowhere"))


@pytest.mark.parametrize("given", [",", " ", " , ,"])
def test_setting_that_is_given_but_holds_no_key_is_refused(given):
    """Or a slip of the pen would open the service to everyone."""
    with pytest.raises(ValueError, match="holds no key"):
        Keys(Settings(api_keys=given))

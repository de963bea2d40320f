"""Reading a body: bounded in bytes, time, depth and in what all of them hold together."""

import asyncio
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bento.edge.body import Disconnected, is_json, parse_json, read_body, read_json, whole_number
from bento.edge.messages import Request
from bento.limits import Limits, OpenBodies
from nlpserve.errors import (
    InvalidRequest,
    LimitExceeded,
    Overloaded,
    SlowBody,
    UnsupportedMediaType,
)


def limits(**changed):
    chosen = {
        "head_bytes": 65_536,
        "head_timeout_seconds": 5.0,
        "body_bytes": 20,
        "texts": 5,
        "characters": 50,
        "json_depth": 4,
        "body_timeout_seconds": 5.0,
    }
    return Limits(**(chosen | changed))


def request(*chunks, then_disconnect=False, then_wait=False, **headers):
    """A request whose body comes in these chunks."""
    last = len(chunks) - 1
    messages = [
        {
            "type": "http.request",
            "body": chunk,
            "more_body": position < last or then_disconnect or then_wait,
        }
        for position, chunk in enumerate(chunks)
    ]
    if then_disconnect:
        messages.append({"type": "http.disconnect"})

    async def receive():
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": "POST", "path": "/", "query_string": b"", "headers": named}
    return Request(scope, receive)


@pytest.mark.parametrize("chunks", [(b"",), (b"x" * 20,), (b"ab", b"", b"cd"), (b"x",) * 20])
@pytest.mark.parametrize("declared", [True, False])
async def test_whole_body(chunks, declared):
    whole = b"".join(chunks)
    headers = {"content_length": str(len(whole))} if declared else {"transfer_encoding": "chunked"}
    assert await read_body(request(*chunks, **headers), limits()) == whole


async def test_declared_size_is_refused_before_anything_is_read():
    asked = request(content_length="21", then_wait=True)
    with pytest.raises(LimitExceeded, match=r"over 20 bytes \(max_body_bytes\)") as refused:
        await asyncio.wait_for(read_body(asked, limits()), 5)
    assert ("connection", "close") in refused.value.headers


@pytest.mark.parametrize("length", ["1", "x", "-5", "9" * 5000, None])
async def test_size_is_counted_whatever_was_declared(length):
    headers = {} if length is None else {"content_length": length}
    asked = request(b"x" * 15, b"x" * 6, then_wait=True, **headers)
    with pytest.raises(LimitExceeded) as refused:
        await asyncio.wait_for(read_body(asked, limits()), 5)
    assert ("connection", "close") in refused.value.headers


async def test_slow_body():
    asked = request(b"x", then_wait=True)
    with pytest.raises(SlowBody, match=r"0\.01 s \(body_timeout_seconds\)") as refused:
        await read_body(asked, limits(body_timeout_seconds=0.01))
    assert refused.value.status == 408
    assert ("connection", "close") in refused.value.headers


async def test_client_that_leaves():
    with pytest.raises(Disconnected):
        await read_body(request(b"x", then_disconnect=True), limits())


async def test_open_bodies_share_a_bound_and_give_it_back():
    shared = limits(open_bodies=OpenBodies(10), body_timeout_seconds=0.03)
    slow = asyncio.create_task(read_body(request(b"x" * 8, then_wait=True), shared))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await read_body(request(b"x" * 3, b"x"), shared)
    assert refused.value.status == 503
    assert await read_body(request(b"x" * 12), shared) == b"x" * 12  # whole at once: never open
    with pytest.raises(SlowBody):
        await slow
    with pytest.raises(Disconnected):
        await read_body(request(b"x" * 9, then_disconnect=True), shared)
    assert await read_body(request(b"x" * 9, b"x"), shared) == b"x" * 10
    assert shared.open_bodies.size == 0


@pytest.mark.parametrize(
    ("given_type", "wanted"),
    [
        ("application/json", True),
        ("APPLICATION/json;charset=UTF-8", True),
        ("application/json , text/html", False),
        ("application/problem+json", False),
        ("text/json", False),
        ("", False),
    ],
)
async def test_content_type(given_type, wanted):
    asked = request(b"{}", content_type=given_type)
    assert is_json(asked) is wanted
    if wanted:
        assert await read_json(asked, limits()) == {}
    else:
        with pytest.raises(UnsupportedMediaType):
            await read_json(asked, limits())


async def test_no_content_type():
    with pytest.raises(UnsupportedMediaType):
        await read_json(request(b"{}"), limits())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nul",
        b"NaN",
        b"1e999",
        b"'x'",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\x00"',
        b"\xef\xbb\xbf{}",
        b"{} {}",
        b"\xff\xfe{\x00}\x00",
        b"]" * 10,
    ],
)
def test_what_is_not_json_is_refused_in_one_line(body):
    with pytest.raises(InvalidRequest) as refused:
        parse_json(body, limits())
    assert refused.value.status == 400
    assert "\n" not in refused.value.detail


def test_escapes_big_numbers_and_duplicate_keys():
    assert parse_json(b'"\\u0000\\ud83d\\udc4d"', limits()) == "\0👍"
    assert parse_json(b"1" * 40, limits()) == pytest.approx(1.1e39, rel=0.1)
    assert parse_json(b'{"a": 1, "a": 2}', limits()) == {"a": 2}


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[[[[]]]]", False),
        (b"[[[[[]]]]]", True),
        (b'{"a":{"a":{"a":{"a":1}}}}', False),
        (b'{"a":{"a":{"a":{"a":[]}}}}', True),
        (b"[[],[],[],[],[],[]]", False),
        (b'["[[[[[[{{{{{{"]', False),
        (b'["\\"[[[[[["]', False),
        (b'["\\\\",[[[[]]]]]', True),
        (b'["\\\\\\"[[[[["]', False),
        (b'["\\u005c",[[[[]]]]]', True),
        (b"[" * 100_000, True),
        (b'{"a":' * 100_000, True),
    ],
)
def test_depth(body, deep):
    if deep:
        with pytest.raises(LimitExceeded, match=r"deeper than 4 levels \(max_json_depth\)"):
            parse_json(body, limits())
    else:
        assert parse_json(body, limits()) == json.loads(body)


def depth_of(content):
    if isinstance(content, dict):
        return 1 + max(map(depth_of, content.values()), default=0)
    if isinstance(content, list):
        return 1 + max(map(depth_of, content), default=0)
    return 0


strings = st.text(st.sampled_from('[]{}"\\,:a/\n\N{SNOWMAN}'), max_size=6)
contents = st.recursive(
    st.one_of(strings, st.integers(-9, 9), st.none()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=25,
)


@given(content=contents, ascii_only=st.booleans())
@example(content=['\\"['] * 6, ascii_only=True)
@example(content={"\\": [[[['"']]]]}, ascii_only=False)
def test_depth_is_that_of_the_parsed_content(content, ascii_only):
    body = json.dumps(content, ensure_ascii=ascii_only).encode()
    if depth_of(content) > 4:
        with pytest.raises(LimitExceeded):
            parse_json(body, limits())
    else:
        assert parse_json(body, limits()) == content


@given(st.binary(max_size=40) | st.text(st.sampled_from('[]{}"\\'), max_size=40).map(str.encode))
def test_any_bytes_are_parsed_or_refused(body):
    try:
        parsed = parse_json(body, limits())
    except (InvalidRequest, LimitExceeded):
        return
    assert depth_of(parsed) <= 4


@pytest.mark.parametrize(
    ("digits", "number"),
    [(b"0", 0), (b"0017", 17), (b"", None), (b"-1", None), (b"1.0", None), (b" 1", None),
     (b"\xd9\xa1", None), (b"9" * 5000, None)],
)  # fmt: skip
def test_whole_number(digits, number):
    assert whole_number(digits) == number

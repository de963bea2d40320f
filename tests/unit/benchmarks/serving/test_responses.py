from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.serving.responses import (
    MAX_HEAD_BYTES,
    MalformedResponse,
    Response,
    ResponseReader,
)


def packet(status=200, body=b"{}", head=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def test_a_response_in_one_packet():
    assert ResponseReader().feed(packet(503, b"busy")) == [Response(503, b"busy", close=False)]


@given(
    bodies=st.lists(st.binary(max_size=40), min_size=1, max_size=4),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_packets_may_be_cut_anywhere_and_hold_several_responses(bodies, cuts):
    stream = b"".join(packet(body=body, head="Server: x\r\n") for body in bodies)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    reader = ResponseReader()
    found = []
    for start, stop in pairwise(edges):
        found += reader.feed(stream[start:stop])
    assert found == [Response(200, body, close=False) for body in bodies]


def test_what_is_left_over_begins_the_next_response():
    reader = ResponseReader()
    second = packet(404, b"none")
    assert len(reader.feed(packet() + second[:10])) == 1
    assert reader.feed(second[10:]) == [Response(404, b"none", close=False)]


@pytest.mark.parametrize(
    ("data", "closes"),
    [
        (packet(head="Connection: close\r\n"), True),
        (packet(head="connection: Close\r\n"), True),
        (packet(head="Connection: keep-alive\r\n"), False),
        (packet(), False),
        (packet().replace(b"1.1", b"1.0"), True),
        (packet(head="Connection: keep-alive\r\n").replace(b"1.1", b"1.0"), False),
    ],
)
def test_connection_close(data, closes):
    assert ResponseReader().feed(data) == [Response(200, b"{}", closes)]


def test_interim_and_bodyless_answers():
    stream = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n" + packet()
    assert [response.status for response in ResponseReader().feed(stream)] == [204, 200]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SSH-2.0-x\r\n\r\n", "begins with"),
        (b"HTTP/2 200\r\n\r\n", "begins with"),
        (b"HTTP/1.1 abc\r\n\r\n", "begins with"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "no Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "Content-Length is"),
        (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "Content-Length is"),
        (b"x" * (MAX_HEAD_BYTES + 1), "no end of the header"),
    ],
)
def test_what_is_no_response_is_refused(data, message):
    with pytest.raises(MalformedResponse, match=message):
        ResponseReader().feed(data)

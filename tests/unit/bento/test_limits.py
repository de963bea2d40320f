import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.limits import Limits, OpenBodies, check_text, check_texts
from bento.settings import Settings
from nlpserve.errors import LimitExceeded, Overloaded, UnprocessableRequest

LIMITS = Limits(
    head_bytes=65_536,
    head_timeout_seconds=1.0,
    body_bytes=100,
    texts=3,
    characters=8,
    json_depth=4,
    body_timeout_seconds=1.0,
)


@pytest.mark.parametrize("text", ["a", "12345678", "  x  ", "é" * 8, "👍" * 8, "\0", "\u202eabc"])
def test_text_within_the_limits_passes(text):
    check_text(text, "text", LIMITS)


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003\u00a0"])
def test_empty_text_is_refused(text):
    with pytest.raises(UnprocessableRequest, match=r"^comment is empty"):
        check_text(text, "comment", LIMITS)


@pytest.mark.parametrize("text", ["123456789", " " * 9])
def test_long_text_is_refused_by_the_limits_name(text):
    with pytest.raises(LimitExceeded, match=r"9 characters; the limit is 8 \(max_characters\)"):
        check_text(text, "text", LIMITS)


@pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udcff\udcfe"])
def test_lone_surrogates_are_refused(text):
    with pytest.raises(UnprocessableRequest, match="lone surrogates"):
        check_text(text, "text", LIMITS)


def test_number_of_texts_is_bounded():
    check_texts(["a"] * 3, "texts", LIMITS)
    with pytest.raises(LimitExceeded, match=r"4 texts; the limit is 3 \(max_texts\)"):
        check_texts(["a"] * 4, "texts", LIMITS)
    with pytest.raises(UnprocessableRequest, match="texts is empty"):
        check_texts([], "texts", LIMITS)


def test_the_wrong_text_is_named_by_its_place():
    with pytest.raises(UnprocessableRequest, match=r"texts\[1\] is empty"):
        check_texts(["a", ""], "texts", LIMITS)


@given(st.text(st.characters(), max_size=12))
def test_what_passes_is_short_encodable_and_not_blank(text):
    try:
        check_text(text, "text", LIMITS)
    except (LimitExceeded, UnprocessableRequest):
        return
    assert len(text) <= 8
    assert text.strip()
    text.encode()


def test_limits_follow_the_settings():
    limits = Limits.of(
        Settings(
            max_head_bytes=5000,
            head_timeout_seconds=9,
            max_body_bytes=2048,
            max_texts=5,
            max_characters=6,
            max_json_depth=7,
            body_timeout_seconds=8,
            max_open_body_bytes=4096,
        )
    )
    assert (limits.head_bytes, limits.head_timeout_seconds) == (5000, 9)
    assert (limits.body_bytes, limits.texts, limits.characters) == (2048, 5, 6)
    assert (limits.json_depth, limits.body_timeout_seconds) == (7, 8)
    assert limits.open_bodies.limit == 4096


def test_open_bodies_take_what_fits():
    bodies = OpenBodies(10)
    bodies.add(4)
    bodies.add(6)
    with pytest.raises(Overloaded, match=r"max_open_body_bytes"):
        bodies.add(1)
    assert bodies.size == 10

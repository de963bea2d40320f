from urllib.parse import quote, quote_plus, unquote_to_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento.edge.messages import query_values
from nlpserve.errors import InvalidRequest

texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(texts)
def test_any_text_survives_either_way_of_quoting(text):
    for quoting in (quote, quote_plus):
        query = f"a=1&sentence={quoting(text, safe='')}&b".encode()
        assert query_values(query, b"sentence") == [text]


@given(st.text("%=+2eEfF0zé \n\r", max_size=12))
def test_escapes_that_are_none_stay_as_they_are(value):
    wanted = unquote_to_bytes(value.replace("+", " ").encode())
    try:
        assert query_values(b"sentence=" + value.encode(), b"sentence") == [wanted.decode()]
    except InvalidRequest:
        assert wanted.decode(errors="ignore").encode() != wanted


@given(st.lists(st.tuples(st.sampled_from(["sentence", "sentences", "x"]), texts), max_size=5))
def test_all_values_of_the_name_in_order(pairs):
    query = urlencode(pairs).encode()
    assert query_values(query, b"sentence") == [value for key, value in pairs if key == "sentence"]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (b"", []),
        (b"&&", []),
        (b"sentence", [""]),
        (b"sentence=a=b", ["a=b"]),
        (b"sent%65nce=a", ["a"]),
        (b"sentence=100%", ["100%"]),
        (b"sentence=%zz", ["%zz"]),
        (b"sentence=%2520", ["%20"]),
        (b"sentence=%2B+%2b", ["+ +"]),
        ("sentence=é".encode(), ["é"]),
    ],
)
def test_odd_queries(query, values):
    assert query_values(query, b"sentence") == values


@pytest.mark.parametrize("value", [b"%ff", b"%ed%a0%80", b"\xff", b"%c3"])
def test_what_is_not_utf_8_is_refused_by_name(value):
    with pytest.raises(InvalidRequest, match="sentence is not UTF-8"):
        query_values(b"sentence=" + value, b"sentence")

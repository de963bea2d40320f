import json

import pytest

from bento.train.errors import LabelledFileError
from bento.train.labelled import Labelled, check_labels, read_labelled, read_texts

ROWS = [
    {"intent": "gare", "sentence": "le train part"},
    {"intent": "cuisine", "sentence": "la tasse est là"},
]


def write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_json_by_rows_and_by_columns(tmp_path):
    expected = [Labelled("le train part", ("gare",)), Labelled("la tasse est là", ("cuisine",))]
    assert read_labelled(write(tmp_path, "a.json", json.dumps(ROWS))) == expected
    columns = {key: {str(i): row[key] for i, row in enumerate(ROWS)} for key in ROWS[0]}
    assert read_labelled(write(tmp_path, "b.json", json.dumps(columns))) == expected


def test_tsv_maps_ids_and_keeps_each_label_once(tmp_path):
    # 0 and 4 are both admiration; 27 is neutral.
    path = write(tmp_path, "a.tsv", "so\u2028good\t0,4,27\tx1\r\nfine\t27\tx2\n")
    assert read_labelled(path) == [
        Labelled("so\u2028good", ("admiration", "neutral")),
        Labelled("fine", ("neutral",)),
    ]


def test_the_format_is_told_by_content_when_the_suffix_does_not(tmp_path):
    assert read_labelled(write(tmp_path, "rows", json.dumps(ROWS)))[0].labels == ("gare",)
    assert read_labelled(write(tmp_path, "tabs.txt", "fine\t27\tx\n"))[0].labels == ("neutral",)
    # A comment may begin with a bracket: .tsv wins.
    assert read_labelled(write(tmp_path, "a.tsv", "[NAME] said\t27\tx\n"))[0].text == "[NAME] said"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", "[{}]", r"\[row 1 -> intent\] is missing"),
        ("a.json", '[{"intent": "a", "sentence": "b"}, 3]', r"\[row 2\] is no object"),
        ("a.json", '[{"intent": "a", "sentence": 4}]', r"\[row 1 -> sentence\] is int, not text"),
        ("a.json", '[{"intent": "a", "sentence": "  "}]', r"\[row 1 -> sentence\] is empty"),
        ("a.json", "[", r"\[file\] .* is not JSON"),
        ("a.json", "4", r"\[file\] .* holds no list"),
        ("a.json", "[]", r"\[file\] .* holds no rows"),
        ("a.json", '{"intent": {"0": "a"}, "sentence": {"1": "b"}}', "column 'sentence'"),
        ("a.json", '{"accuracy": 1}', "no rows in column 'accuracy'"),
        ("a.tsv", "", r"\[row 1\] has no tab"),
        ("a.tsv", "a\t1\nb", r"\[row 2\] has no tab"),
        ("a.tsv", "a\t28", r"\[row 1 -> labels\] '28' is no id from 0 to 27"),
        ("a.tsv", "a\t1,\tx", r"\[row 1 -> labels\] '' is no id"),
        ("a.tsv", "a\t-1\tx", r"'-1' is no id"),
        ("a.tsv", "a\t²\tx", r"'²' is no id"),
        ("a.tsv", " \t1\tx", r"\[row 1 -> text\] is empty"),
        ("a.tsv", b"\xff\xfe", r"\[file\] .* is not UTF-8: byte 0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, name, content, message):
    with pytest.raises(LabelledFileError, match=message):
        read_labelled(write(tmp_path, name, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelledFileError, match=r"none.json cannot be read: No such file"):
        read_labelled(tmp_path / "none.json")


def test_a_label_that_the_model_lacks_is_named():
    rows = [Labelled("a", ("x",)), Labelled("b", ("x", "z"))]
    check_labels(rows, ["x", "z"])
    with pytest.raises(LabelledFileError, match=r"\[row 2 -> label\] the model has no label 'z'"):
        check_labels(rows, ["x", "y"])


def test_texts_from_lines_or_from_a_labelled_file(tmp_path):
    assert read_texts(write(tmp_path, "a.txt", "un\n\ndeux\n")) == ["un", "deux"]
    assert read_texts(write(tmp_path, "a.json", json.dumps(ROWS)))[1] == "la tasse est là"
    with pytest.raises(LabelledFileError, match="holds no texts"):
        read_texts(write(tmp_path, "b.txt", "\n"))

"""Rows, mapping and batches of the emotion data, without torch."""

import numpy as np
import pytest

from bento.train.emotion import data


def write(tmp_path, text):
    path = tmp_path / "rows.tsv"
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_are_the_fourteen_in_alphabetical_order():
    assert len(data.MAPPED) == 28
    assert len(data.LABELS) == 14
    assert list(data.LABELS) == sorted(data.LABELS)
    assert data.LABELS[-1] == "surprise"


@pytest.mark.parametrize(
    ("field", "names"),
    [("27", ["neutral"]), ("0,4", ["admiration"]), ("25,2", ["anger", "sadness"])],
)
def test_ids_are_mapped_merged_and_sorted(field, names):
    assert [data.LABELS[i] for i in data.mapped_labels(field)] == names


def test_rows_keep_odd_separators_inside_the_text(tmp_path):
    rows = data.read_rows(write(tmp_path, "one\u2028two\t27\tid1\nplain\t2,3\tid2\n"))
    assert [row.text for row in rows] == ["one\u2028two", "plain"]
    assert len(rows[1].labels) == 2


def test_a_line_without_labels_is_named(tmp_path):
    with pytest.raises(ValueError, match="line 2"):
        data.read_rows(write(tmp_path, "fine\t1\tid\nbroken\n"))


def test_multi_hot_marks_every_label_of_a_row():
    hot = data.multi_hot([data.Row("a", (0, 3)), data.Row("b", (13,))])
    assert hot.shape == (2, 14)
    assert hot[0].nonzero()[0].tolist() == [0, 3]
    assert hot[1].nonzero()[0].tolist() == [13]


def test_any_label_of_the_row_counts_as_right():
    hot = data.multi_hot([data.Row("a", (0, 3)), data.Row("b", (13,))])
    scores = np.zeros((2, 14))
    scores[:, 3] = 1.0
    assert data.accuracy(scores, hot) == 0.5


def test_batches_hold_each_row_once_and_hardly_any_padding():
    rng = np.random.default_rng(1)
    lengths = rng.integers(3, 40, 2000)
    batches = list(data.length_batches(lengths, 32, rng))
    assert sorted(np.concatenate(batches).tolist()) == list(range(2000))
    padded = sum(lengths[rows].max() * len(rows) for rows in batches)
    assert padded < 1.1 * lengths.sum()


def test_batches_repeat_with_the_seed_and_differ_between_epochs():
    lengths = list(range(300))

    def epochs(seed):
        rng = np.random.default_rng(seed)
        return [np.concatenate(list(data.length_batches(lengths, 8, rng))) for _ in range(2)]

    first, again = epochs(5), epochs(5)
    assert (first[0] == again[0]).all()
    assert (first[0] != first[1]).any()

"""What the student's training adds up, on tiny tensors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("onnx")

from bento.train.emotion import lessons, student  # noqa: E402
from bento.train.emotion.loop import MAX_TOKENS, Schedule, WeightMean, fit  # noqa: E402
from bento.train.emotion.teacher import label_loss  # noqa: E402

FIRST, LAST, MASK = 101, 102, 103


def texts(count, longest=MAX_TOKENS):
    rng = np.random.default_rng(7)
    lengths = rng.integers(0, longest - 1, count)
    return [[FIRST, *rng.integers(200, 900, length).tolist(), LAST] for length in lengths]


class Tiny(torch.nn.Module):
    """Takes a batch as the classifiers do; its one layer looks at how long a text is."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 2)

    def forward(self, tokens, mask):
        return self.layer(mask.sum(dim=1, keepdim=True).float())


def test_the_mean_of_weights_is_that_of_what_was_taken():
    net = Tiny()
    mean = WeightMean(net)
    mean.apply()
    for value in (1.0, 2.0, 6.0):
        torch.nn.init.constant_(net.layer.weight, value)
        mean.take()
    mean.apply()
    torch.testing.assert_close(net.layer.weight, torch.full((2, 1), 3.0))


def test_training_ends_with_the_mean_and_not_the_last_weights():
    net, last = Tiny(), []
    ids = texts(64 * 24, longest=6)
    fit(
        net,
        ids,
        lambda logits, index: -logits.log_softmax(dim=1)[:, 0].mean(),
        Schedule(lr=0.1, epochs=2, stop=1),
        seed=1,
        on_epoch=lambda epoch: last.append(net.layer.bias.detach().clone()),
    )
    assert len(last) == 1
    assert not net.training
    assert net.layer.bias[0] > net.layer.bias[1]
    assert not torch.equal(net.layer.bias, last[0])


def test_every_text_gets_an_altered_one_with_its_special_tokens():
    ids = texts(400)
    altered = lessons.alter(ids, MASK, np.random.default_rng(1))
    assert len(altered) == len(ids)
    assert all(item[0] == FIRST and item[-1] == LAST for item in altered)
    assert max(map(len, altered)) <= MAX_TOKENS
    assert sum(MASK in item for item in altered) > 100
    assert altered == lessons.alter(ids, MASK, np.random.default_rng(1))


def test_a_spliced_text_is_a_front_and_a_back():
    rng = np.random.default_rng(3)
    for _ in range(50):
        spliced = lessons.splice([FIRST, 1, 2, 3, LAST], [FIRST, 7, 8, 9, LAST], rng)
        front = [token for token in spliced if token < 4]
        back = [token for token in spliced if 4 < token < 10]
        assert front == [1, 2, 3][: len(front)]
        assert back == [7, 8, 9][3 - len(back) :]
        assert spliced == [FIRST, *front, *back, LAST]


def test_lessons_come_back_as_they_were_written(tmp_path):
    ids, taught = texts(5), np.eye(5, 14, dtype=np.float32)
    lessons.write(tmp_path / lessons.LESSONS, ids, taught)
    again, said = lessons.read(tmp_path / lessons.LESSONS)
    assert again == ids
    np.testing.assert_array_equal(said, taught)


def test_labels_count_where_there_are_any():
    taught = np.full((3, 2), 0.5, np.float32)
    hot = np.array([[1, 0]], np.float32)
    wanted = student.targets(taught, hot)
    np.testing.assert_allclose(wanted, [[0.65, 0.35], [0.5, 0.5], [0.5, 0.5]], atol=1e-6)


def test_label_loss_sums_over_the_labels_of_a_row():
    logits = torch.zeros((1, 4))
    one, two = torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([[1.0, 1, 0, 0]])
    torch.testing.assert_close(label_loss(logits, two), 2 * label_loss(logits, one))


def test_the_rate_rises_to_its_peak_and_falls_to_nothing():
    schedule = Schedule(lr=1.0, epochs=2)
    factors = [schedule.factor(step, 100) for step in range(101)]
    assert max(factors) == pytest.approx(1.0)
    assert factors.index(max(factors)) < 10
    assert factors[-1] == 0.0

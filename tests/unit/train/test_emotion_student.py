"""What the student's training adds up, on tiny tensors."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("onnx")

from bento.train.emotion import student  # noqa: E402
from bento.train.emotion.loop import Schedule  # noqa: E402
from bento.train.emotion.model import Classifier  # noqa: E402
from bento.train.emotion.teacher import label_loss  # noqa: E402


def tiny(seed):
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=8,
    )
    return Classifier(transformers.BertModel(config, add_pooling_layer=False))


def test_averaged_weights_lie_half_way():
    first, second = tiny(1), tiny(2)
    wanted = (first.head.weight + second.head.weight).detach() / 2
    torch.testing.assert_close(student.average_weights([first, second]).head.weight, wanted)


def test_teaching_loss_is_least_where_student_and_teacher_agree():
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    taught = student.mean_probabilities([logits])
    agreed = student.teaching_loss(logits, taught)
    assert agreed < student.teaching_loss(logits.flip(1), taught)


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

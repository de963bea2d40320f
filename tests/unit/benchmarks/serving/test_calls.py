import json

import numpy as np
import pytest

from benchmarks.serving.calls import EMOTION, INTENT, AnswerChecker, request_bytes

LABELS = ("a", "b", "c")
SCORES = np.array([[0.7, 0.2, 0.1], [0.30004, 0.30001, 0.39995], [0.40004, 0.4, 0.19996]], "f4")


def intent_body(scores):
    return json.dumps(dict(zip(LABELS, scores, strict=True))).encode()


def emotion_body(label):
    return json.dumps({"prediction": label}).encode()


def checked(model, *answers):
    checker = AnswerChecker(model, LABELS, SCORES)
    checker.check(answers)
    return checker.result()


def test_an_intent_is_asked_for_with_an_escaped_query():
    request = request_bytes(INTENT, "où ? c'est 5€ & 10% 🙂", "127.0.0.1", 3000)
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == (
        "GET /api/intent?sentence=o%C3%B9+%3F+c%27est+5%E2%82%AC+%26+10%25+%F0%9F%99%82 HTTP/1.1"
    )
    assert lines[1:] == ["Host: 127.0.0.1:3000"]
    assert body == b""


def test_an_emotion_is_asked_for_with_a_body_of_stated_length():
    request = request_bytes(EMOTION, 'he said "oui, été" 😂', "127.0.0.1", 3000)
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST / HTTP/1.1\r\n")
    assert f"\r\nContent-Length: {len(body)}".encode() in head
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert json.loads(body) == {"comment": 'he said "oui, été" 😂'}


def test_equal_answers_are_counted_by_text():
    answers = [(0, intent_body([0.7, 0.2, 0.1])), (1, intent_body([0.3, 0.3, 0.4]))] * 3
    result = checked(INTENT, *answers)
    assert (result.checked, result.distinct_texts, result.mismatches) == (6, 2, 0)
    assert result.largest_difference == pytest.approx(0.00005, abs=1e-6)


@pytest.mark.parametrize(
    ("scores", "mismatches"), [([0.7009, 0.1991, 0.1], 0), ([0.7011, 0.1989, 0.1], 1)]
)
def test_scores_may_be_a_thousandth_away(scores, mismatches):
    assert checked(INTENT, (0, intent_body(scores))).mismatches == mismatches


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "not JSON"),
        (b"[]", "no object"),
        (b'{"a": 0.7, "b": 0.2}', "labels"),
        (b'{"a": 0.7, "b": 0.2, "c": 0.1, "d": 0}', "labels"),
        (b'{"a": 0.7, "b": 0.2, "c": null}', "labels"),
        (intent_body([0.2, 0.7, 0.1]), "0.50000 away"),
    ],
)
def test_other_intents_are_mismatches(body, why):
    result = checked(INTENT, (0, body), (0, body))
    assert result.mismatches == 2
    (example,) = result.examples
    assert example.startswith("text 0: ")
    assert why in example


def test_a_score_that_is_no_number_does_not_pass():
    checker = AnswerChecker(INTENT, LABELS, np.full((1, 3), np.nan, "f4"))
    checker.check([(0, intent_body([0.7, 0.2, 0.1]))])
    assert checker.result().mismatches == 1


def test_the_label_must_be_the_best_one():
    result = checked(EMOTION, (0, emotion_body("a")), (0, emotion_body("b")), (0, b"{}"))
    assert (result.mismatches, result.near_ties) == (2, 0)
    assert result.largest_difference is None
    assert "'b', not 'a'" in result.examples[0]


def test_labels_as_good_as_equal_may_change_places_and_are_counted():
    result = checked(EMOTION, *[(2, emotion_body("b"))] * 3, (2, emotion_body("c")))
    assert (result.near_ties, result.mismatches) == (3, 1)

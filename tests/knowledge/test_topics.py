import numpy as np

from knowledge.topics import MOST_COMPARED, sort_topics, topic_names


def near(*rows: tuple[float, ...]) -> np.ndarray:
    found = np.array(rows, dtype="<f4")
    unit: np.ndarray = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def test_the_largest_topic_is_0_and_what_stands_alone_is_none() -> None:
    vectors = near((0, 1, 0), (1, 0.1, 0), (1, 0, 0.1), (0, 0, 1), (1, 0.1, 0.1), (0, 1, 0.1))
    assert sort_topics(vectors) == [1, 0, 0, -1, 0, 1]


def test_of_very_many_the_later_ones_join_what_they_are_near_to() -> None:
    vectors = near(*[(1, n % 2, 0) if n % 3 else (0, 0, 1) for n in range(MOST_COMPARED + 3)])
    labels = sort_topics(vectors)
    assert labels[MOST_COMPARED:] == labels[2:5]
    assert set(labels) == {0, 1}


def test_few_questions() -> None:
    assert sort_topics(near((1, 0))) == [-1]
    assert sort_topics(np.zeros((0, 2), "<f4")) == []


def test_a_topic_is_called_by_the_words_it_shares_as_people_write_them() -> None:
    texts = [
        "When are invoices sent?", "Invoices by mail", "My invoice is missing",
        "Can I get a refund?", "Refund after a month", "Hello",
    ]  # fmt: skip
    assert topic_names(texts, [0, 0, 0, 1, 1, -1]) == {0: "invoices", 1: "refund"}

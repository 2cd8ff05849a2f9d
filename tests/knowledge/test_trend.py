import pytest

from knowledge.trend import satisfaction


@pytest.mark.parametrize(
    ("moods", "trend", "last"),
    [
        ((0.5,), "steady", 0.5),
        ((0.5, 0.1, -0.4, -0.8), "falling", -0.8),
        ((-0.8, -0.2, 0.6), "rising", 0.6),
        ((0.1, -0.1, 0.0, 0.1, 0.0), "steady", 0.0),
    ],
)
def test_where_a_talk_goes(moods: tuple[float, ...], trend: str, last: float) -> None:
    found = satisfaction(moods)
    assert (found.trend, found.last) == (trend, last)
    assert found.mean == pytest.approx(sum(moods) / len(moods), abs=1e-3)


def test_the_slope_is_per_message() -> None:
    assert satisfaction((0.0, -0.2, -0.4)).slope == pytest.approx(-0.2)

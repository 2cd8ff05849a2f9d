from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.times import find_times

# A Wednesday, 10:30 in New York.
NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
ZONE = "America/New_York"


def read(text: str, locale: str = "en") -> list[tuple[str, str, str]]:
    return [
        (span.text, span.value.strftime("%Y-%m-%d %H:%M"), span.grain)
        for span in find_times(text, NOW, ZONE, locale)
    ]


@pytest.mark.parametrize(
    ("text", "value", "grain"),
    [
        ("today", "2026-03-04 00:00", "day"),
        ("tomorrow", "2026-03-05 00:00", "day"),
        ("the day after tomorrow", "2026-03-06 00:00", "day"),
        ("tonight", "2026-03-04 20:00", "part"),
        ("tomorrow afternoon", "2026-03-05 12:00", "part"),
        ("this morning", "2026-03-04 08:00", "part"),
        ("Friday", "2026-03-06 00:00", "day"),
        ("on Wednesday at 9am", "2026-03-11 09:00", "hour"),
        ("next Monday", "2026-03-09 00:00", "day"),
        ("next week", "2026-03-09 00:00", "week"),
        ("Tuesday of next week", "2026-03-10 00:00", "day"),
        ("next week on Tuesday at 3", "2026-03-10 15:00", "hour"),
        ("next month", "2026-04-01 00:00", "month"),
        ("in 2 hours", "2026-03-04 12:30", "hour"),
        ("in half an hour", "2026-03-04 11:00", "hour"),
        ("in 3 days", "2026-03-07 00:00", "day"),
        ("in two weeks", "2026-03-18 00:00", "day"),
        ("two days from now", "2026-03-06 00:00", "day"),
        ("on the 3rd", "2026-04-03 00:00", "day"),
        ("Jan 3", "2027-01-03 00:00", "day"),
        ("3 January 2027", "2027-01-03 00:00", "day"),
        ("January 3rd, 2027 at 15:00", "2027-01-03 15:00", "minute"),
        ("2027-01-03", "2027-01-03 00:00", "day"),
        ("2027-01-03 14:30", "2027-01-03 14:30", "minute"),
        ("on 3/10", "2026-03-10 00:00", "day"),
        ("3pm", "2026-03-04 15:00", "hour"),
        ("9am", "2026-03-05 09:00", "hour"),
        ("at 3:30 pm", "2026-03-04 15:30", "minute"),
        ("15:00", "2026-03-04 15:00", "minute"),
        ("half past two", "2026-03-04 14:30", "minute"),
        ("quarter to five", "2026-03-04 16:45", "minute"),
        ("noon", "2026-03-04 12:00", "hour"),
        ("tomorrow at 10", "2026-03-05 10:00", "hour"),
        ("at 4 tomorrow", "2026-03-05 16:00", "hour"),
        ("tomorrow 5", "2026-03-05 17:00", "hour"),
        ("three o'clock", "2026-03-04 15:00", "hour"),
        ("Monday the 9th", "2026-03-09 00:00", "day"),
        ("friday the 13th at 11.30am", "2026-03-13 11:30", "minute"),
        ("tomorrow evening at 7", "2026-03-05 19:00", "hour"),
        ("yesterday", "2026-03-03 00:00", "day"),
    ],
)
def test_english(text: str, value: str, grain: str) -> None:
    found = read(f"Can we meet {text}?")
    assert [row[1:] for row in found] == [(value, grain)]


@pytest.mark.parametrize(
    ("text", "value", "grain"),
    [
        ("hoy", "2026-03-04 00:00", "day"),
        ("mañana", "2026-03-05 00:00", "day"),
        ("pasado mañana", "2026-03-06 00:00", "day"),
        ("el martes por la tarde", "2026-03-10 12:00", "part"),
        ("mañana por la mañana", "2026-03-05 08:00", "part"),
        ("a las 3", "2026-03-04 15:00", "hour"),
        ("a las tres y media", "2026-03-04 15:30", "minute"),
        ("mañana a las 10", "2026-03-05 10:00", "hour"),
        ("el viernes a las 9 de la mañana", "2026-03-06 09:00", "hour"),
        ("a mediodía", "2026-03-04 12:00", "hour"),
        ("el 3 de enero de 2027", "2027-01-03 00:00", "day"),
        ("el 3/10", "2026-10-03 00:00", "day"),
        ("la semana que viene", "2026-03-09 00:00", "week"),
        ("el próximo lunes", "2026-03-09 00:00", "day"),
        ("en dos días", "2026-03-06 00:00", "day"),
        ("dentro de 2 horas", "2026-03-04 12:30", "hour"),
        ("esta tarde", "2026-03-04 12:00", "part"),
        ("a las 15:00", "2026-03-04 15:00", "minute"),
    ],
)
def test_spanish(text: str, value: str, grain: str) -> None:
    assert [row[1:] for row in read(f"Nos vemos {text}", "es")] == [(value, grain)]


@pytest.mark.parametrize(
    ("text", "locale", "start", "until"),
    [
        ("between 2 and 4", "en", "2026-03-04 14:00", "2026-03-04 16:00"),
        ("tomorrow from 9 to 11:30", "en", "2026-03-05 09:00", "2026-03-05 11:30"),
        ("Friday 5 to 6pm", "en", "2026-03-06 17:00", "2026-03-06 18:00"),
        ("11 to 1pm tomorrow", "en", "2026-03-05 11:00", "2026-03-05 13:00"),
        ("tomorrow after 3pm", "en", "2026-03-05 15:00", "2026-03-06 00:00"),
        ("tomorrow before noon", "en", "2026-03-05 00:00", "2026-03-05 12:00"),
        ("next week", "en", "2026-03-09 00:00", "2026-03-16 00:00"),
        ("tomorrow afternoon", "en", "2026-03-05 12:00", "2026-03-05 17:00"),
        ("mañana entre las 3 y las 5", "es", "2026-03-05 15:00", "2026-03-05 17:00"),
        ("el lunes de 10 a 12", "es", "2026-03-09 10:00", "2026-03-09 12:00"),
    ],
)
def test_ranges_have_an_end(text: str, locale: str, start: str, until: str) -> None:
    (span,) = find_times(text, NOW, ZONE, locale)
    assert span.value.strftime("%Y-%m-%d %H:%M") == start
    assert span.until is not None
    assert span.until.strftime("%Y-%m-%d %H:%M") == until


@pytest.mark.parametrize(
    "text",
    [
        "may I ask something?",
        "This may or may not be right",
        "version 3.1 broke, 10.2.11 is fine",
        "it costs $3 or 12.50 EUR",
        "the second one please",
        "wait a second",
        "We are at 5 sites with 30 people",
        "error 404 and 500",
        "support is 24/7",
        "half of it, 1/2 or 3/4",
        "Good morning",
        "have a great week",
        "the third time it fails",
        "the 3rd party app",
        "I sat down in the sun",
        "call me on 541-714-1388",
        "up-to-date at 6.45 percent",
        "march on",
        "upgrade from 2 to 4 seats",
        "my 2nd ticket",
        "step 3 fails",
        "10 students",
        "",
        "¿?",
    ],
)
def test_english_traps(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Buenas tardes",
        "buenos días",
        "Uno puede preguntar",
        "tengo veintiuna monedas",
        "el segundo",
        "la versión 3.1",
        "cuesta 5,00 €",
        "que tengas un buen mes",
    ],
)
def test_spanish_traps(text: str) -> None:
    assert read(text, "es") == []


def test_two_alternatives_stay_two() -> None:
    assert [row[1] for row in read("Monday at 3 or Tuesday at 4pm")] == [
        "2026-03-09 15:00",
        "2026-03-10 16:00",
    ]


def test_offsets_point_at_the_text_as_written() -> None:
    text = "İ ok, Tomorrow at 3PM — please"
    (span,) = find_times(text, NOW, ZONE, "en")
    assert text[span.start : span.end] == span.text == "Tomorrow at 3PM"


def test_values_are_in_the_contacts_zone_across_the_clock_change() -> None:
    # Clocks go forward in New York on 8 March 2026.
    (span,) = find_times("Monday at 9am", NOW, ZONE, "en")
    assert span.value.isoformat() == "2026-03-09T09:00:00-04:00"


def test_day_is_the_local_one() -> None:
    late = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)  # still the 4th in New York
    (span,) = find_times("tomorrow", late, ZONE, "en")
    assert span.value.date().isoformat() == "2026-03-05"


@pytest.mark.parametrize("zone", ["Nowhere/Land", "", "../etc"])
def test_an_unknown_zone_is_utc(zone: str) -> None:
    (span,) = find_times("tomorrow at noon", NOW, zone, "en")
    assert span.value == datetime(2026, 3, 5, 12, tzinfo=ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("locale", "day"), [("en", "2027-03-01"), ("en-GB", "2027-01-03"), ("es", "2027-01-03")]
)
def test_field_order_follows_the_locale(locale: str, day: str) -> None:
    (span,) = find_times("3/1/2027", NOW, ZONE, locale)
    assert span.value.date().isoformat() == day


def test_the_other_language_is_tried_when_the_first_finds_nothing() -> None:
    assert [row[1] for row in read("pasado mañana", "en")] == ["2026-03-06 00:00"]


@given(st.text(max_size=200), st.sampled_from(["en", "es", "de", ""]))
def test_any_text_is_survived(text: str, locale: str) -> None:
    for span in find_times(text, NOW, ZONE, locale):
        assert text[span.start : span.end] == span.text
        assert span.value.tzinfo is not None


@given(
    st.lists(
        st.sampled_from(
            [
                "tomorrow",
                "at",
                "3",
                "pm",
                "next",
                "week",
                "friday",
                "the",
                "31st",
                "feb",
                "30",
                "29",
                "between",
                "and",
                "12/13",
                "99:99",
                "in",
                "500",
                "weeks",
                "2027-02-30",
                "noon",
                "a",
                "las",
                "25",
                "mañana",
                "dentro",
                "de",
                "900",
                "meses",
            ]
        ),
        max_size=9,
    )
)
def test_any_mix_of_date_words_is_survived(words: list[str]) -> None:
    text = " ".join(words)
    for locale in ("en", "es"):
        for span in find_times(text, NOW, ZONE, locale):
            assert span.until is None or span.until >= span.value

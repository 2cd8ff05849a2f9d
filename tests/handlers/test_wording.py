import pytest

from core.zones import zone_info
from handlers._shared.places import city_of, find_zone, zones_of_country
from handlers._shared.wording import agrees, declines, is_said, number_in, ordinal_in, plain
from tests.handlers.stand_ins import LINES


@pytest.mark.parametrize(
    ("text", "bare"),
    [("¡Sí, claro!", "si claro"), ("  OK.  ", "ok"), ("“Don’t”", "don't"), ("👍", "👍"), ("", "")],
)
def test_plain(text: str, bare: str) -> None:
    assert plain(text) == bare


@pytest.mark.parametrize("text", ["yes", "Yes!", "ok", "sure, do it", "Sí", "vale", "go ahead"])
def test_agrees(text: str) -> None:
    assert agrees(text, LINES)
    assert not declines(text, LINES)


@pytest.mark.parametrize(
    "text",
    ["no", "yesterday", "ok how?", "yes and what does it cost", "please help me", "great question"],
)
def test_does_not_agree(text: str) -> None:
    assert not agrees(text, LINES)


@pytest.mark.parametrize("text", ["no", "No thanks.", "no, leave that", "ahora no", "nope"])
def test_declines(text: str) -> None:
    assert declines(text, LINES)


@pytest.mark.parametrize("text", ["nothing works", "notes", "I have no idea how this works", "yes"])
def test_does_not_decline(text: str) -> None:
    assert not declines(text, LINES)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("3.", 3),
        ("2)", 2),
        ("option 2", 2),
        ("#1", 1),
        ("0", None),
        ("00", None),
        ("4", None),
        ("-1", None),
        ("1.5", None),
        ("2 people", None),
        ("at 2pm", None),
        ("", None),
    ],
)
def test_a_number_of_three(text: str, number: int | None) -> None:
    assert number_in(text, 3) == number


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the second", 2),
        ("la primera", 1),
        ("3rd one please", 3),
        ("the last", 3),
        ("a second thought: what happens to all the boards if we leave next year", None),
        ("none", None),
    ],
)
def test_a_place_of_three(text: str, place: int | None) -> None:
    assert ordinal_in(text, LINES, 3) == place


@pytest.mark.parametrize("text", ["Cancel.", "never mind", "déjalo"])
def test_a_way_out(text: str) -> None:
    assert is_said(text, LINES, "words.cancel_form")


@pytest.mark.parametrize("text", ["please cancel my booking", "how do I cancel a plan?"])
def test_no_way_out(text: str) -> None:
    assert not is_said(text, LINES, "words.cancel_form")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Madrid", "Europe/Madrid"),
        ("I'm in New York City", "America/New_York"),
        ("Ciudad de México", "America/Mexico_City"),
        ("São Paulo, Brazil", "America/Sao_Paulo"),
        ("Estoy en Bogotá", "America/Bogota"),
        ("europe/berlin", "Europe/Berlin"),
        ("UTC+2", "Etc/GMT-2"),
        ("GMT -5", "Etc/GMT+5"),
        ("UTC", "UTC"),
        ("CET", "Europe/Madrid"),
        ("ET", "America/New_York"),
        ("España", "Europe/Madrid"),
        ("Germany", "Europe/Berlin"),
        ("Bengaluru", "Asia/Kolkata"),
        ("SF bay area", "America/Los_Angeles"),
        ("near London, UK", "Europe/London"),
        ("Atlantis", None),
        ("USA", None),
        ("UTC+99", None),
        ("no la entiendo", None),
        ("", None),
    ],
)
def test_where_the_customer_is(text: str, zone: str | None) -> None:
    assert find_zone(text, whole=True) == zone


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Tomorrow at 3pm Berlin time", "Europe/Berlin"),
        ("We're based in Lima", "America/Lima"),
        ("I'm in Paris next week", "Europe/Paris"),
        ("I'm in a hurry", None),
        ("Book the London training", None),
        ("any time works", None),
        ("I come from marketing", None),
    ],
)
def test_a_place_said_in_passing(text: str, zone: str | None) -> None:
    assert find_zone(text, whole=False) == zone


@pytest.mark.parametrize("text", ["the US", "estados unidos", "Canada", "I live in Brasil"])
def test_a_wide_country_is_a_choice(text: str) -> None:
    assert len(zones_of_country(text)) > 1


def test_zones_are_there_without_reading_a_file() -> None:
    assert zone_info("Europe/Madrid").key == "Europe/Madrid"
    assert zone_info("Mars/Olympus").key == "UTC"
    assert city_of("America/New_York") == "New York"

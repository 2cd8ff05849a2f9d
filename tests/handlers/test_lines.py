import re
from pathlib import Path

import pytest

from core.conversations import HandoffReason
from core.errors import MisconfiguredError
from handlers._shared.lines import YamlLines, read_catalogue

CATALOGUE = read_catalogue()
EVERY = [
    pytest.param(locale, key, text, id=f"{locale}:{key}:{channel}")
    for locale, texts in CATALOGUE.texts.items()
    for key, variants in texts.items()
    for channel, text in variants.items()
]
OPT_OUT = r"stop|stopall|unsubscribe|cancel|end|quit|optout|revoke|cancelar|parar|baja|alto"
INVITES = r"reply|say|send|write|type|answer|press|responde|di|env[ií]a|escribe|pulsa"
SORRY = re.compile(r"\b(sorry|apolog\w+|lo siento|disculp\w+|perd[oó]n)\b", re.IGNORECASE)


def slots(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_both_languages_hold_the_same_keys() -> None:
    assert set(CATALOGUE.texts) == {"en", "es"}
    assert set(CATALOGUE.texts["en"]) == set(CATALOGUE.texts["es"])


@pytest.mark.parametrize("key", sorted(CATALOGUE.texts["en"]))
def test_both_languages_and_all_channels_fill_the_same_slots(key: str) -> None:
    english = slots(CATALOGUE.texts["en"][key]["default"])
    for texts in CATALOGUE.texts.values():
        assert {frozenset(slots(text)) for text in texts[key].values()} == {frozenset(english)}


@pytest.mark.parametrize("key", sorted(CATALOGUE.lists))
def test_every_list_has_words_in_both_languages(key: str) -> None:
    assert {"en", "es"} <= set(CATALOGUE.lists[key])
    assert all(CATALOGUE.lists[key].values())


def test_words_for_a_person_in_six_languages() -> None:
    assert set(CATALOGUE.lists["words.human"]) == {"en", "es", "de", "fr", "pt", "it"}


@pytest.mark.parametrize(("locale", "key", "text"), EVERY)
def test_manners(locale: str, key: str, text: str) -> None:
    assert text, f"{locale} {key} is empty"
    assert len(text) <= 300
    assert len(SORRY.findall(text)) <= 1
    assert "frustrat" not in text.lower()
    assert "!" not in text
    assert not re.search(r"\b\d+ (minutes|minutos)\b", text)


@pytest.mark.parametrize(("locale", "key", "text"), EVERY)
def test_no_prompt_invites_an_opt_out_word_or_zero(locale: str, key: str, text: str) -> None:
    assert not re.search(rf"(?:{INVITES})(?: with)? ['\"“]?(?:{OPT_OUT}|0)\b", text.lower()), (
        f"{locale} {key}"
    )


@pytest.mark.parametrize(
    ("locale", "key", "text"), [p for p in EVERY if "unhappy" in str(p.values[1])]
)
def test_no_cheer_for_the_unhappy(locale: str, key: str, text: str) -> None:
    assert not re.search(r"glad|happy|great|welcome|alegr|encant", text.lower()), f"{locale} {key}"


@pytest.mark.parametrize("reason", list(HandoffReason))
def test_every_reason_has_a_line(reason: HandoffReason) -> None:
    assert f"handoff.{reason.value}" in CATALOGUE.texts["en"]


LINES = YamlLines(slots={"brand": "Lumen", "bot": "Usher"})


def test_says_the_locales_line_else_english() -> None:
    assert LINES.say("small_talk.thanks", "es") == "De nada."
    assert LINES.say("small_talk.thanks", "es-MX") == "De nada."
    assert LINES.say("small_talk.thanks", "fi") == "You're welcome."


def test_says_the_channels_variant() -> None:
    assert LINES.say("handoff.asked", "en", "sms") != LINES.say("handoff.asked", "en", "web")
    assert LINES.say("handoff.asked", "en", "slack") == LINES.say("handoff.asked", "en")


def test_common_slots_are_always_there() -> None:
    assert "Lumen" in LINES.say("consent.help", "en")
    assert LINES.say("takeover.joined", "en", name="Eva") == "Eva from Lumen is here now."


@pytest.mark.parametrize("key", ["nothing.like.this", "words.human", "takeover.joined"])
def test_an_unknown_key_or_a_missing_slot_is_a_fault(key: str) -> None:
    with pytest.raises(KeyError):
        LINES.say(key, "en")


def test_a_slots_value_is_never_filled_in_again() -> None:
    assert "{brand}" in LINES.say("memory.stored", "en", value="{brand}")
    with pytest.raises(KeyError):
        LINES.variants("small_talk.thanks")


def test_a_tenant_speaks_its_own_words() -> None:
    own = LINES.for_tenant(
        {"en": {"small_talk.thanks": "Any time, says {brand}."}}, {"brand": "Acme"}
    )
    assert own.say("small_talk.thanks", "en") == "Any time, says Acme."
    assert own.say("small_talk.thanks", "es") == "De nada."
    assert LINES.say("small_talk.thanks", "en") == "You're welcome."


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("small_talk.thanks", "Hello {secret}"),
        ("nothing.like.this", "Hello"),
    ],
)
def test_an_override_that_does_not_fit_is_left_out(
    key: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    own = YamlLines({"en": {key: text}})
    assert own.say("small_talk.thanks", "en") == "You're welcome."
    assert [record.message for record in caplog.records] == ["lines.override_ignored"]


def test_an_override_reaches_into_no_object() -> None:
    own = YamlLines({"en": {"small_talk.thanks": "{brand.__class__}"}}, slots={"brand": "Lumen"})
    assert own.say("small_talk.thanks", "en") == "{brand.__class__}"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("- a\n- b", "no mapping"),
        ("a: [1", "not YAML"),
        ("a: {sms: x}", "default"),
        ("words.a: text", "no list"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "en.yaml").write_text(content)
    with pytest.raises(MisconfiguredError, match=rf"en\.yaml.*{complaint}"):
        read_catalogue(tmp_path)


def test_a_catalogue_needs_english(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match=r"en\.yaml"):
        read_catalogue(tmp_path)

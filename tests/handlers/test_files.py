"""A message that is only a file: asked about once, refused with a reason, then a person."""

from dataclasses import replace

import pytest

from core.contracts import Context
from core.files import REASONS
from core.ids import ConversationId, MessageId
from core.messages import Attachment, Author, MessageKind, StoredMessage
from core.outcomes import Outcome, Turn
from handlers import files
from tests.handlers.stand_ins import NOON, Talk, line

KEPT = Attachment("shot.png", "image/png", 10, id="fil_1")


def carrying(*attachments: Attachment) -> StoredMessage:
    return StoredMessage(
        MessageId("msg_1"),
        ConversationId("cnv_1"),
        1,
        Author.CUSTOMER,
        MessageKind.MESSAGE,
        "",
        NOON,
        "sms",
        "received",
        attachments=attachments,
    )


def talk(*attachments: Attachment, locale: str = "en") -> Talk:
    async def handle(turn: Turn, context: Context) -> Outcome:
        return await files.handle(replace(turn, messages=(carrying(*attachments),)), context)

    return Talk(replace(files.HANDLER, handle=handle), locale=locale, channel="sms")


@pytest.mark.parametrize("locale", ["en", "es"])
async def test_a_file_alone_is_seen_by_a_person_and_asked_about(locale: str) -> None:
    said = await talk(KEPT, locale=locale).says("")
    assert said.text == line("pipeline.attachment", locale)
    assert said.next is None


@pytest.mark.parametrize("locale", ["en", "es"])
@pytest.mark.parametrize("reason", REASONS)
async def test_why_a_file_was_not_taken(reason: str, locale: str) -> None:
    refused = replace(KEPT, id=None, refused=reason)
    said = await talk(refused, refused, locale=locale).says("")
    assert said.text == line(f"files.{reason}", locale, limit=10)


async def test_one_kept_of_two_is_kept() -> None:
    said = await talk(KEPT, replace(KEPT, id=None, refused="too_large")).says("")
    assert said.text == line("pipeline.attachment")


async def test_who_insists_gets_a_person_and_no_sentence_twice_in_a_row() -> None:
    running = talk(KEPT)
    assert (await running.says("")).next is None
    assert (await running.says("")).next == "escalate"


async def test_words_in_between_begin_anew() -> None:
    running = talk(KEPT)
    await running.says("")
    await running.says("it is about my invoice")
    assert (await running.says("")).next is None

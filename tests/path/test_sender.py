"""What a channel is given to send from: the inbox itself, not the place the message goes to."""

import pytest

from core.conversations import Inbox
from core.messages import Outbound, Sent
from tests.path.harness import INBOX, FakeProvider, path


async def test_a_message_is_sent_from_the_inbox_it_belongs_to(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Inbox] = []

    async def deliver(self: FakeProvider, outbound: Outbound, inbox: Inbox) -> Sent:
        given.append(inbox)
        self.sent.append(outbound)
        return Sent(f"prv-{outbound.id}")

    monkeypatch.setattr(FakeProvider, "deliver", deliver)
    async with path(database_url) as usher:
        await usher.say("a1", "hello")
        await usher.settle()
        (inbox,), (outbound,) = given, usher.provider.sent
        assert inbox.id == INBOX.id
        assert inbox.address == INBOX.address != outbound.address

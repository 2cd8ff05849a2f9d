"""Phones, mailboxes and Slack members around the stand-ins of the providers, for a look around and for tests.

Owns who says what and when a provider reports back. Everything reaches us by the webhooks the providers would
sign, over HTTP; nothing here calls the message path.
Not here: the providers' shapes (twilio_api, slack_api, mail_server), the page (page.py), life (wiring.py).
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import httpx

from app.simulator import mailbox, people
from app.simulator.bell import Bell, HeardList
from app.simulator.calls import CallsStandIn, PhoneCall
from app.simulator.mail_server import MailServer, Trouble, signed_mail
from app.simulator.mailbox import Draft, File, Letter
from app.simulator.slack_api import Message
from app.simulator.slack_workspace import SlackWorkspace
from app.simulator.switches import Failure, SignedRequest, Switches, post
from app.simulator.twilio_api import TextMessage, TwilioStandIn
from channels._shared.slack_settings import SCOPES
from core.clock import Clock
from core.errors import BadInputError, NotFoundError, UnavailableError

logger = logging.getLogger(__name__)

WHATSAPP = "whatsapp:"
UNREACHABLE = 30003  # Twilio's "Unreachable destination handset"
FAILURES: Mapping[str, Failure] = {
    "timeout_after": Failure.timeout(accepted=True),
    "timeout_before": Failure.timeout(accepted=False),
    "rate_limited": Failure.rate_limited(3),
    "server_error": Failure.error(503),
    "server_error_after": Failure.error(500, accepted=True),
}
MAIL_FAILURES: Mapping[str, tuple[Trouble, str]] = {
    "timeout_after": (Trouble.DROP_AFTER_TAKING, ""),
    "timeout_before": (Trouble.HANG, ""),
    "rate_limited": (Trouble.REFUSE_RECIPIENT, "451 4.7.1 try again later"),
    "server_error": (Trouble.REFUSE_TEXT, "451 4.3.0 local error in processing"),
    "refused": (Trouble.REFUSE_RECIPIENT, "550 5.1.1 no such user"),
}


class PostOffice(MailServer):
    """The mail server, telling of each mail it takes."""

    world: "World"

    def keep(self, sender: str, recipient: str, raw: bytes) -> None:
        """Put a mail into a mailbox and show it."""
        super().keep(sender, recipient, raw)
        self.world.mail_came(recipient, raw)


class World:
    """Everybody on the page. `url` is our server; `pace` the seconds between a text's sent and delivered."""

    def __init__(self, url: str, clock: Clock) -> None:
        """Make the stand-ins, with secrets of this process alone."""
        self.url = url
        self.clock = clock
        self.pace = 0.5
        self.bell = Bell()
        self.mail_secret = secrets.token_hex(32)
        self.identity_secret = secrets.token_urlsafe(48)
        self.widget_key = "demo-widget"
        self.phones = dict(people.PHONES)
        self.mailboxes = dict(people.MAILBOXES)
        self.phones_off: set[str] = set()
        self.unused: tuple[str, ...] = ()  # channels that lead to real providers instead
        self.twilio = TwilioStandIn(
            clock,
            account_sid=f"AC{secrets.token_hex(16)}",
            auth_token=secrets.token_hex(16),
            webhook_url=f"{self.url}/channels/sms",
            messages=HeardList(self._text_taken),
        )
        self.calls = CallsStandIn(
            clock,
            self.twilio,
            f"{self.url}/channels/voice",
            people.OUR_NUMBER,
            self.bell.ring,
        )
        self.slack = SlackWorkspace(
            clock,
            bot_token=f"xoxb-{secrets.token_hex(20)}",
            signing_secret=secrets.token_hex(16),
            webhook_url=f"{self.url}/channels/slack",
            channels={name: HeardList(self._said) for name in people.CHANNELS},
            members=set(people.CHANNELS),
            users={member.id: member.name for member in people.MEMBERS},
            present={
                people.ALERT_CHANNEL: {m.id for m in people.MEMBERS if m.role == "CSM"},
                people.HELP_CHANNEL: {m.id for m in people.MEMBERS},
            },
            scopes=",".join(SCOPES),
            base_url=f"{self.url}/simulator/api/slack",
        )
        self.mails = PostOffice()
        self.mails.world = self
        self.letters: list[Letter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ phones

    def phone(self, number: str) -> list[TextMessage]:
        """Return the texts to and from a number, oldest first."""
        return [m for m in self.twilio.messages if number in (m.to, m.from_)]

    async def text(self, number: str, body: str) -> None:
        """Send a text from a phone to us. Raises UnavailableError when the webhook is refused."""
        self.add_phone(number)
        await self._post(self.twilio.incoming(number, people.OUR_NUMBER, body))

    def chat(self, number: str) -> list[TextMessage]:
        """Return the WhatsApp messages to and from a number, oldest first."""
        return [m for m in self.twilio.messages if f"{WHATSAPP}{number}" in (m.to, m.from_)]

    async def whatsapp(self, number: str, body: str, button: str = "") -> None:
        """Send a WhatsApp message, or press a button of ours by its id; `body` is then its title.

        Raises UnavailableError when the webhook is refused.
        """
        self.add_phone(number)
        pressed = {"MessageType": "interactive", "ButtonText": body, "ButtonPayload": button}
        more = {
            "ProfileName": self.phones[number].name,
            "WaId": number.lstrip("+"),
            **(pressed if button else {"MessageType": "text"}),
        }
        ours = f"{WHATSAPP}{people.OUR_NUMBER}"
        await self._post(self.twilio.incoming(f"{WHATSAPP}{number}", ours, body, more=more))

    def close_window(self, number: str) -> None:
        """Let WhatsApp take no free text for this number until it writes again."""
        self.twilio.closed.add(f"{WHATSAPP}{number}")
        self.bell.ring()

    def add_phone(self, number: str) -> None:
        """Give somebody a phone. Raises BadInputError for what is no number."""
        if not people.is_number(number):
            raise BadInputError("a phone number begins with + and its country")
        self.phones.setdefault(number, people.Person(number))

    def _text_taken(self, message: TextMessage) -> None:
        self.bell.ring()
        if message.direction != "inbound":
            number = message.to.removeprefix(WHATSAPP)
            self.phones.setdefault(number, people.Person(number))
            self._spawn(self._report(message))

    async def _report(self, message: TextMessage) -> None:
        """Report as carriers do: sent, then delivered, or not. WhatsApp tells of reading too."""
        by_whatsapp = message.to.startswith(WHATSAPP)
        fates: list[tuple[str, int | None]] = [("sent", None), ("delivered", None)]
        if message.error_code:
            fates = [("failed", message.error_code)]
        elif message.to.removeprefix(WHATSAPP) in self.phones_off:
            # a text is given up; WhatsApp keeps it until the phone is back
            fates = fates[:1] if by_whatsapp else [*fates[:1], ("undelivered", UNREACHABLE)]
        elif by_whatsapp:
            fates.append(("read", None))
        for status, code in fates:
            await asyncio.sleep(self.pace)
            callback = self.twilio.status(message.sid, status, code)
            self.bell.ring()
            if callback is not None:
                await self._post(callback)

    # ------------------------------------------------------------ calls

    def phone_call(self, number: str) -> PhoneCall | None:
        """Return the newest call from a number."""
        return next((c for c in reversed(self.calls.calls) if c.from_ == number), None)

    async def use_phone(self, number: str, do: str, text: str = "") -> None:
        """Do something with a phone: call, say, press, silence, hang_up, picked_up, not_picked_up, leave.

        Raises BadInputError when the call is not at that point, UnavailableError.
        """
        self.add_phone(number)
        if do == "call":
            await self.calls.dial(number)
            return
        call = self.phone_call(number)
        if call is None:
            raise BadInputError("this phone has not called")
        calls = self.calls
        deeds: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "say": lambda: calls.say(call, text),
            "press": lambda: calls.press(call, text),
            "silence": lambda: calls.stay_silent(call),
            "hang_up": lambda: calls.hang_up(call),
            "picked_up": lambda: calls.end_ringing(call, answered=True),
            "not_picked_up": lambda: calls.end_ringing(call, answered=False),
            "leave": lambda: calls.leave(call, text),
        }
        if do not in deeds:
            raise BadInputError("a phone cannot do that")
        await deeds[do]()

    # ------------------------------------------------------------ mailboxes

    def mailbox(self, address: str) -> list[Letter]:
        """Return the mails from and to an address, oldest first."""
        return [letter for letter in self.letters if letter.owner == address.lower()]

    def letter(self, letter_id: str) -> Letter:
        """Return one mail. Raises NotFoundError."""
        found = next((letter for letter in self.letters if letter.id == letter_id), None)
        if found is None:
            raise NotFoundError("no such mail")
        return found

    async def mail(
        self,
        sender: str,
        subject: str,
        body: str,
        *,
        answers: Letter | None = None,
        file: File | None = None,
        authenticated: bool = True,
    ) -> Letter:
        """Send a mail to us, as an answer to one of ours or a new one.

        `authenticated` is what our receiving server found about the sender's domain.
        Raises BadInputError, UnavailableError.
        """
        sender = sender.lower()
        if not people.is_address(sender):
            raise BadInputError("that is not a mail address")
        person = self.mailboxes.setdefault(sender, people.Person(sender.partition("@")[0]))
        to = people.OUR_ADDRESS if answers is None else _answer_address(answers)
        if answers is not None:
            subject = mailbox.answer_subject(answers.subject)
        draft = Draft(sender, to, subject, body, person.name, answers, file)
        own = f"<{secrets.token_hex(10)}@{people.domain_of(sender)}>"
        now = self.clock.now()
        try:
            raw = mailbox.write(draft, own, now, authenticated=authenticated)
        except (ValueError, UnicodeError) as error:
            raise BadInputError("the subject or an address cannot stand in a mail") from error
        letter = self._file(sender, raw, incoming=False)
        signed = signed_mail(raw, f"{self.url}/channels/email", self.mail_secret, now, to)
        try:
            await self._post(signed)
        except UnavailableError as error:
            letter.trouble = error.detail
            raise
        return letter

    def mail_came(self, recipient: str, raw: bytes) -> None:
        """File a mail from us and show it."""
        self.mailboxes.setdefault(recipient.lower(), people.Person(recipient.partition("@")[0]))
        self._file(recipient.lower(), raw, incoming=True)

    def _file(self, owner: str, raw: bytes, *, incoming: bool) -> Letter:
        letter = Letter(f"m{len(self.letters) + 1}", owner, self.clock.now(), raw, incoming)
        self.letters.append(letter)
        self.bell.ring()
        return letter

    # ------------------------------------------------------------ Slack

    def channel(self, name: str) -> Sequence[Message]:
        """Return a channel's messages, oldest first; by id, or by name (`help-lumen`)."""
        return self.slack.channels.get(_channel_id(name), [])

    async def slack_say(self, channel: str, user: str, text: str, thread: str | None = None) -> str:
        """Let a member write, in a thread when its ts is given; returns the message's ts.

        `@usher` is our name; a user's id as channel is their direct message to us.
        """
        if user not in self.slack.users:
            raise BadInputError("nobody in this workspace has that id")
        named = _escaped(text).replace("@usher", f"<@{self.slack.bot_user_id}>")
        events = self.slack.say(user, _channel_id(channel), named, thread)
        place = f"D{user[1:]}" if channel == user else _channel_id(channel)
        ts = str(self.slack.channels[place][-1]["ts"])
        self.bell.ring()
        for event in events:
            await self._post(event)
        return ts

    async def press(self, channel: str, ts: str, action_id: str, user: str) -> None:
        """Press a button on a message of ours. Raises NotFoundError when it shows no such button."""
        try:
            pressed = self.slack.press(user, _channel_id(channel), ts, action_id)
        except LookupError as error:
            raise NotFoundError(str(error)) from error
        await self._post(pressed)

    async def react(self, channel: str, ts: str, reaction: str, user: str) -> None:
        """Put a thumb (`+1`, `-1`) under a message. Raises NotFoundError when it is not there."""
        try:
            event = self.slack.react(user, _channel_id(channel), ts, reaction)
        except LookupError as error:
            raise NotFoundError(str(error)) from error
        await self._post(event)

    def _said(self, _message: Message) -> None:
        self.bell.ring()

    # ------------------------------------------------------------ failures

    def fail(self, channel: str, how: str, times: int = 1) -> None:
        """Let the next `times` calls to a provider fail; `clear` lets all work again.

        Mail fails until cleared. Raises BadInputError for a channel or failure there is not.
        """
        if channel == "email":
            self._fail_mail(how)
        else:
            self._fail_api(channel, how, times)
        self.bell.ring()

    def _fail_api(self, channel: str, how: str, times: int) -> None:
        switches = self.switches.get(channel)
        if switches is None or (how not in FAILURES and how != "clear"):
            raise BadInputError("no such failure")
        if how == "clear":
            switches.clear()
        else:
            switches.fail(FAILURES[how], times)

    def _fail_mail(self, how: str) -> None:
        if how == "clear":
            self.mails.recover()
        elif how in MAIL_FAILURES:
            self.mails.fail(*MAIL_FAILURES[how])
        else:
            raise BadInputError("no such failure")

    @property
    def switches(self) -> Mapping[str, Switches]:
        """The APIs' switches by channel."""
        return {
            "sms": self.twilio.switches,
            "whatsapp": self.twilio.switches,
            "slack": self.slack.switches,
        }

    def set_phone(self, number: str, *, on: bool) -> None:
        """Switch a phone off, so that texts to it are reported undelivered, or on again."""
        (self.phones_off.discard if on else self.phones_off.add)(number)
        self.bell.ring()

    # ------------------------------------------------------------ posting

    async def _post(self, request: SignedRequest) -> None:
        try:
            status = await post(request)
        except httpx.HTTPError as error:
            raise UnavailableError("our own webhook did not answer") from error
        if status >= 300:
            raise UnavailableError(f"our own webhook refused it ({status})")
        self.bell.ring()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(self._watched(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop_reports(self) -> None:
        """Drop the reports still to come."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except UnavailableError as error:
            logger.warning("simulator.webhook_failed", extra={"reason": error.detail})


def _channel_id(name: str) -> str:
    return next((i for i, known in people.CHANNELS.items() if known == name.lstrip("#")), name)


def _answer_address(letter: Letter) -> str:
    return letter.answer_to if letter.incoming else people.OUR_ADDRESS


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

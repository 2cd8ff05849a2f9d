"""Twilio Programmable Voice: a call is a conversation. Speech and keys in, TwiML out, while the line is held.

Owns how long the line waits, what is heard of a turn, and replies that find nobody on the line any more.
Not here: what a request means (_shared/voice_steps.py), what is said (voice_desk.py), what is remembered of a running
call (voice_running.py), the REST API (voice_rest.py), the signature (twilio.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

from channels._shared import voice_rest as rest
from channels._shared.render import to_plain, words_for
from channels._shared.twilio_form import parse_form, public_url
from channels._shared.voice_call import LOCALES, Call, Place, is_mobile, read_call, read_place
from channels._shared.voice_desk import Desk, Said
from channels._shared.voice_examine import examine
from channels._shared.voice_hearing import Heard, Want, hear
from channels._shared.voice_running import RunningCalls
from channels._shared.voice_settings import (
    VoiceSettings,
    configured,
    own_settings,
    picks_up,
    read_menu,
)
from channels._shared.voice_speech import aloud, sources, spoken, written
from channels._shared.voice_steps import NOTHING, step
from core.contracts import (
    Answered,
    Capabilities,
    Channel,
    ChannelContext,
    ChannelSpec,
    Finding,
    Received,
    WebhookRequest,
)
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    PermanentDeliveryError,
    SignatureError,
    UnknownOutcomeError,
)
from core.ids import MessageId, TenantId
from core.messages import (
    Attachment,
    Author,
    Ignored,
    MessageKind,
    Outbound,
    Sent,
    StoredMessage,
)
from core.ports import Lines, TurnView

CAPABILITIES = Capabilities(
    markup="plain", max_chars=1200, idle_hours=24.0, greets=True, inline=True
)
FILLERS = 3  # requests held before the line is let go
_BY_TEXT = "sms"


@dataclass(slots=True)
class VoiceChannel:
    """The adapter. `twilio` is channels._shared.twilio: `build` loads it, as it loads the SDK."""

    context: ChannelContext
    twilio: ModuleType

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the number that was called, as the form or our own URL names it."""
        return next(iter(self.candidates(request)), None)

    def candidates(self, request: WebhookRequest) -> tuple[str, ...]:
        """Return the numbers this may be for: requests about a recording name none, our URL does."""
        try:
            form = dict(parse_form(request.body))
            query = parse_qs(urlsplit(request.url).query, max_num_fields=40)
        except (AnomalousPayloadError, ValueError):
            return ()
        named = (*query.get("inbox", ())[:1], form.get("To", "").strip())
        return tuple(address for address in named if address)

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse one webhook. Raises SignatureError, AnomalousPayloadError."""
        settings = own_settings(inbox.settings)
        url = public_url(settings.public_url, request.url)
        token = settings.auth_token.get_secret_value()
        signature = request.headers.get("x-twilio-signature")
        if "json" in request.headers.get("content-type", ""):
            body = request.body.decode("utf-8", "replace")
            self.twilio.require_json_signature(token, url, body, signature)
            raise AnomalousPayloadError("calls come as forms, not as JSON")
        try:
            form = parse_form(request.body)
        except AnomalousPayloadError as error:
            raise SignatureError("what cannot be read cannot be verified") from error
        self.twilio.require_signature(token, url, form, signature)
        fields, call, place = dict(form), *_read(request, settings)
        running = self._running(inbox)
        if place.at == "status" or (place.at == "start" and call.ended):
            unheard = await running.ended(call)
            return Received((Ignored(_ending(call)),), NOTHING, resumes=unheard, wait=0.0)
        if place.at == "recording":
            call = await running.with_caller(call)
        desk = await self._desk(inbox, call, place)
        received, said = step(desk, fields)
        await running.heard(call, place, said)
        return received

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Parse only. Raises AnomalousPayloadError."""
        settings = own_settings(inbox.settings)
        call, place = _read(request, settings)
        if place.at == "status" or (place.at == "start" and call.ended):
            return Received((Ignored(_ending(call)),), NOTHING)
        desk = await self._desk(inbox, call, place)
        return step(desk, dict(parse_form(request.body)))[0]

    async def answer(
        self, request: WebhookRequest, inbox: Inbox, message: MessageId, view: TurnView | None
    ) -> Answered:
        """Return what the line hears of a message's turn, and what follows by text message."""
        call, place = _read(request, own_settings(inbox.settings))
        desk = await self._desk(inbox, call, replace(place, last=message))
        running = self._running(inbox)
        replies = view.replies if view is not None else ()
        texts = self._answer_text(desk, replies) if desk.textable else ()
        # a request that comes again after the call was answered while it ran: no text follows it
        was_said = await running.was_said(message)
        if place.at == "status" or (await running.is_over(call) and not was_said):
            return Answered(NOTHING, texts, gone=view is None)
        if view is None:
            gone = place.round + 1 >= FILLERS
            said = desk.late() if gone else desk.filler()
            await running.says(call, said, None if gone else message, unsaid=True)
            return Answered(said.reply, gone=gone)
        heard = hear(call, place, desk.menu, desk.lines) if place.at in ("talk", "offer") else None
        said, beside = self._said(desk, view, heard)
        await running.says(call, said, message if replies else None)
        if not was_said and not beside and await running.is_over(call):
            # hung up while this was made: the callback was faster than the note
            beside = texts
        # a draft that is sent later, a person's words: nobody waits for them on the line
        return Answered(said.reply, beside, gone=True)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Say a message in the running call; after it, queue it as a text message to the same number.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        text = to_plain(outbound.text).strip()
        if not text:
            raise PermanentDeliveryError("there is nothing to say")
        call = await self._running(inbox).listening(outbound.address)
        if call and await self._speak(outbound, inbox, call):
            return Sent(f"{call}:{outbound.id}")
        speaker = words_for(outbound, self.context.lines, CAPABILITIES).speaker
        text = f"{speaker}: {outbound.text}" if speaker else outbound.text
        if not await self._text(outbound, inbox, text):
            raise PermanentDeliveryError("the call is over, and this number takes no text message")
        return Sent(f"{_BY_TEXT}:{outbound.id}")

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Nobody can say whether the caller heard it. Raises UnknownOutcomeError."""
        raise UnknownOutcomeError("Twilio cannot say whether the caller heard it")

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return a recording. Raises TooLargeError, RetryableDeliveryError, PermanentDeliveryError."""
        access = _access(own_settings(inbox.settings))
        return await rest.fetch_recording(access, attachment.url or "", limit)

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Try the credentials and compare the number's webhooks with ours."""
        settings = own_settings(inbox.settings)
        return await examine(settings, _access(settings))

    async def close(self) -> None:
        """Nothing stays open: every call has its own connection."""

    # ------------------------------------------------------------ answering

    def _said(
        self, desk: Desk, view: TurnView, heard: Heard | None
    ) -> tuple[Said, tuple[tuple[str, str, str], ...]]:
        want = heard.want if heard is not None else Want.SAY
        if want is Want.TEXT_REST:
            if not desk.textable:
                return desk.ask("voice.anything_else", "voice.no_text"), ()
            answer = self._answer_text(desk, view.replies)
            return desk.ask("voice.anything_else", "voice.texted_answer"), answer
        if want is Want.TEXT_ME:
            if not desk.textable:
                return desk.ask("voice.ask", "voice.no_text"), ()
            invite = (_BY_TEXT, desk.call.caller, desk.line("voice.text_invite"))
            return desk.ask("voice.anything_else", "voice.texted"), (invite,)
        if want is Want.GOODBYE:
            return desk.end("voice.goodbye"), ()
        if want is Want.SLOWER:
            desk = replace(desk, place=replace(desk.place, slow=True))
        return self._reply(desk, view, want)

    def _reply(
        self, desk: Desk, view: TurnView, want: Want
    ) -> tuple[Said, tuple[tuple[str, str, str], ...]]:
        replies = view.replies
        said = spoken(replies, desk.line("voice.link_word"))
        locale = _locale(replies, desk.place.locale)
        decision = view.trace.get("decision")
        action = decision.get("action") if isinstance(decision, Mapping) else ""
        if action == "handoff" and want not in (Want.REPEAT, Want.SLOWER, Want.GO_ON):
            return desk.hand_over(" ".join(said.parts), locale), ()
        if not said.parts:
            if view.handler == "recorded":
                return desk.ask("voice.anything_else"), ()
            return desk.wait_for_person(), ()
        part = desk.place.part if want in (Want.REPEAT, Want.SLOWER) else 0
        if want is Want.GO_ON:
            part = desk.place.part + 1
        texts: tuple[tuple[str, str, str], ...] = ()
        if said.links and desk.textable:
            pages = "\n".join(f"{link.label}: {link.url}" for link in said.links)
            texts = ((_BY_TEXT, desk.call.caller, desk.line("voice.text_answer", text=pages)),)
        choices = replies[-1].quick_replies
        return (
            desk.answer(said, part, locale, choices, sources(replies), texted=bool(texts)),
            texts,
        )

    def _answer_text(
        self, desk: Desk, replies: Sequence[StoredMessage]
    ) -> tuple[tuple[str, str, str], ...]:
        text = written(replies)
        if not text:
            return ()
        line = desk.line("voice.text_answer", _locale(replies, desk.place.locale), text=text)
        return ((_BY_TEXT, desk.call.caller, line),)

    async def _desk(self, inbox: Inbox, call: Call, place: Place) -> Desk:
        settings = own_settings(inbox.settings)
        lines = await self._lines(inbox.tenant)
        beside = self.context.beside
        textable = (
            beside is not None
            and not call.doubted
            and is_mobile(call.caller)
            and await beside.reaches(inbox.tenant, _BY_TEXT, call.caller)
        )
        return Desk(
            settings=settings,
            lines=lines,
            call=call,
            place=place,
            menu=read_menu(settings.menu),
            textable=textable,
            person_there=picks_up(settings, self.context.clock.now()),
        )

    async def _lines(self, tenant: TenantId) -> Lines:
        if self.context.lines_for is None:
            return self.context.lines
        return await self.context.lines_for(tenant)

    # ------------------------------------------------------------ into a running call

    def _running(self, inbox: Inbox) -> RunningCalls:
        return RunningCalls(self.context, inbox.tenant)

    async def _speak(self, outbound: Outbound, inbox: Inbox, sid: str) -> bool:
        """Say it in the running call; False when that is over."""
        settings = own_settings(inbox.settings)
        call = Call(sid, outbound.address, settings.number, "in-progress")
        locale = outbound.locale if outbound.locale in LOCALES else settings.locale
        # far from the numbers the call itself counts, so that no two of its turns have one name
        number = (outbound.seq or 0) * 1000
        place = Place("talk", n=number, locale=locale, hold=outbound.author is not Author.BOT)
        desk = Desk(settings, await self._lines(inbox.tenant), call, place, {})
        text = aloud(outbound.text, desk.line("voice.link_word"))
        if outbound.author is Author.CSM and outbound.kind is not MessageKind.NOTICE:
            name = (outbound.author_name or "").split(" ")[0]
            if name:
                text = desk.line("voice.person_says", name=name, text=text)
        return await rest.change_call(_access(settings), sid, desk.speak(text))

    async def _text(self, outbound: Outbound, inbox: Inbox, text: str) -> bool:
        beside, talk = self.context.beside, outbound.conversation_id
        if beside is None or talk is None or not is_mobile(outbound.address):
            return False
        return await beside.send(
            inbox.tenant, talk, _BY_TEXT, outbound.address, text, outbound.seq or 0
        )


def _read(request: WebhookRequest, settings: VoiceSettings) -> tuple[Call, Place]:
    form = dict(parse_form(request.body))
    return read_call(form), read_place(request.url, settings.locale)


def _ending(call: Call) -> str:
    return f"the call ended: {call.status[:20]}"


def _locale(replies: Sequence[StoredMessage], fallback: str) -> str:
    return next((r.locale for r in replies if r.locale in ("en", "es")), None) or fallback


def _access(settings: VoiceSettings) -> rest.Access:
    return rest.Access(
        settings.account_sid,
        settings.auth_token.get_secret_value(),
        settings.api_base_url,
        settings.timeout,
    )


def build(context: ChannelContext) -> Channel:
    """Return the adapter; loads Twilio's SDK, for its signature."""
    from channels._shared import twilio

    return VoiceChannel(context, twilio)


CHANNEL = ChannelSpec(
    name="voice",
    identity="phone",
    capabilities=CAPABILITIES,
    settings=VoiceSettings,
    configured=configured,
    build=build,
    summary="Phone calls through Twilio: speech and keys in, a voice out.",
)

"""Twilio Programmable Voice: a call is a conversation. Speech and keys in, TwiML out, while the line is held.

Owns which request becomes a message, how long the line waits, what is remembered of a running call (in the cache:
losing it costs a text message, never a word of the conversation), and replies that find nobody on the line any more.
Not here: what is said (_shared/voice_desk.py), what was meant (_shared/voice_hearing.py), TwiML, the REST API,
the signature (_shared/twilio.py).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

from channels._shared import voice_rest as rest
from channels._shared.render import to_plain, words_for
from channels._shared.twilio_form import parse_form, public_url
from channels._shared.voice_call import Call, Place, is_mobile, read_call, read_place
from channels._shared.voice_desk import Desk, Said
from channels._shared.voice_examine import examine
from channels._shared.voice_hearing import Heard, Want, hear
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
_REMEMBERED = 4 * 3600.0  # seconds: no call is longer
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
        if place.at == "status" or (place.at == "start" and call.ended):
            return await self._ended(inbox, call)
        if place.at == "recording":
            call = await self._whose(inbox.tenant, call)
        desk = await self._desk(inbox, call, place)
        received, said = step(desk, fields)
        await self._keep(inbox, call, place, said)
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
        replies = view.replies if view is not None else ()
        if place.at == "status" or await self._is_over(inbox.tenant, call):
            texts = self._answer_text(desk, replies) if desk.textable else ()
            return Answered(NOTHING, texts, gone=view is None)
        if view is None:
            gone = place.round + 1 >= FILLERS
            said = desk.late() if gone else desk.filler()
            await self._note(inbox.tenant, call, said, None if gone else message, unsaid=True)
            return Answered(said.reply, gone=gone)
        heard = hear(call, place, desk.menu, desk.lines) if place.at in ("talk", "offer") else None
        said, texts = self._said(desk, view, heard)
        await self._note(inbox.tenant, call, said, message if replies else None)
        # hung up while this was being made: the callback may have been faster than the note
        if not texts and replies and desk.textable and await self._is_over(inbox.tenant, call):
            texts = self._answer_text(desk, replies)
        # a draft that is sent later, a person's words: nobody waits for them on the line
        return Answered(said.reply, texts, gone=True)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Say a message in the running call; after it, queue it as a text message to the same number.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        text = to_plain(outbound.text).strip()
        if not text:
            raise PermanentDeliveryError("there is nothing to say")
        line = await self._line(inbox.tenant, outbound.address)
        if line.get("doing") == "talk" and await self._speak(outbound, inbox, line):
            return Sent(f"{line['call']}:{outbound.id}")
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

    # ------------------------------------------------------------ a running call

    async def _whose(self, tenant: TenantId, call: Call) -> Call:
        """Return the call with its caller, whom a finished recording does not name."""
        kept = await self.context.state.get("voice", tenant, f"call:{call.sid}") or {}
        return replace(call, caller=str(kept.get("caller") or call.caller))

    async def _keep(self, inbox: Inbox, call: Call, place: Place, said: Said | None) -> None:
        """Remember who is on the line, and what was heard: they spoke again after it."""
        doing = said.doing if said is not None else "talk"
        if place.at in ("start", "dialed") or doing != "talk":
            await self._put_line(inbox.tenant, call, doing)
        if place.at in ("talk", "offer", "dialed", "left"):
            await self.context.cache.drop(_key("said", inbox.tenant, call.sid))
        if said is not None and said.records:
            state, caller = self.context.state, {"caller": call.caller}
            await state.put("voice", inbox.tenant, f"call:{call.sid}", caller)

    async def _note(
        self,
        tenant: TenantId,
        call: Call,
        said: Said,
        message: MessageId | None,
        *,
        unsaid: bool = False,
    ) -> None:
        """Remember what is being said, until when, for the case that the caller hangs up before its end."""
        if said.doing != "talk":
            await self._put_line(tenant, call, said.doing)
        if message is None:
            return
        until = self.context.clock.now().timestamp() + said.seconds
        note = {"message": message, "until": None if unsaid else until}
        key = _key("said", tenant, call.sid)
        await self.context.cache.put(key, json.dumps(note), _REMEMBERED)

    async def _put_line(self, tenant: TenantId, call: Call, doing: str) -> None:
        key = _key("line", tenant, call.caller)
        line = {"call": call.sid, "doing": doing}
        await self.context.cache.put(key, json.dumps(line), _REMEMBERED)

    async def _line(self, tenant: TenantId, caller: str) -> Mapping[str, object]:
        return _note(await self.context.cache.get(_key("line", tenant, caller)))

    async def _is_over(self, tenant: TenantId, call: Call) -> bool:
        if call.ended:
            return True
        return await self.context.cache.get(_key("over", tenant, call.sid)) is not None

    async def _ended(self, inbox: Inbox, call: Call) -> Received:
        """Forget the line; an answer that was not heard to its end goes by text message."""
        cache, tenant = self.context.cache, inbox.tenant
        await cache.put(_key("over", tenant, call.sid), "1", _REMEMBERED)
        line = await self._line(tenant, call.caller)
        if line.get("call") == call.sid:
            await cache.drop(_key("line", tenant, call.caller))
        note = _note(await cache.get(_key("said", tenant, call.sid)))
        until, message = note.get("until"), note.get("message")
        now = self.context.clock.now().timestamp()
        unheard = bool(message) and not (isinstance(until, int | float) and until <= now)
        return Received(
            (Ignored(_ending(call)),),
            NOTHING,
            resumes=MessageId(str(message)) if unheard else None,
            wait=0.0,
        )

    async def _speak(self, outbound: Outbound, inbox: Inbox, line: Mapping[str, object]) -> bool:
        """Say it in the running call; False when that is over."""
        settings = own_settings(inbox.settings)
        call = Call(str(line["call"]), outbound.address, settings.number, "in-progress")
        place = Place("talk", locale=outbound.locale)
        desk = Desk(settings, await self._lines(inbox.tenant), call, place, {})
        text = aloud(outbound.text, desk.line("voice.link_word"))
        if outbound.author is Author.CSM and outbound.kind is not MessageKind.NOTICE:
            name = (outbound.author_name or "").split(" ")[0]
            if name:
                text = desk.line("voice.person_says", name=name, text=text)
        # far from the numbers the call itself counts, so that no two of its turns have one name
        there = Place("talk", n=(outbound.seq or 0) * 1000, locale=outbound.locale)
        return await rest.change_call(_access(settings), call.sid, desk.speak(text, there))

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


def _key(what: str, tenant: TenantId, name: str) -> str:
    # a number is somebody's: the cache need not know it
    return f"voice:{what}:{tenant}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _note(text: str | None) -> Mapping[str, object]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


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

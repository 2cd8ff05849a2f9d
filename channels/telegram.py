"""Telegram: updates by webhook with a secret token, messages out by the Bot API.

Owns the shapes of updates, which messages of a group are for us, Telegram's HTML, its 4096 characters and its buttons.
Not here: what is said (handlers/), Markdown itself (_shared/render.py).
Source: https://core.telegram.org/bots/api. The Bot API lists nothing that was sent: a send without an answer goes to a
person.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from channels._shared.render import render, to_html, words_for
from core.contracts import (
    Capabilities,
    Channel,
    ChannelContext,
    ChannelSpec,
    Finding,
    Received,
    WebhookReply,
    WebhookRequest,
)
from core.conversations import Inbox
from core.errors import (
    AnomalousPayloadError,
    DeliveryError,
    MisconfiguredError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    SignatureError,
    TooLargeError,
    UnknownOutcomeError,
)
from core.messages import (
    Attachment,
    ConsentChange,
    Correction,
    Event,
    Ignored,
    Inbound,
    Outbound,
    Reaction,
    Sent,
)
from core.settings import Section

CAPABILITIES = Capabilities(
    buttons=True,
    markup="markdown",
    max_chars=4096,
    attachments=True,
    quiet=2.0,
    idle_hours=24.0,
    max_buttons=8,
    media=("*/*",),
    media_bytes=50_000_000,
)
UPDATES = ("message", "edited_message", "callback_query", "message_reaction", "my_chat_member")
_PART = 4000  # UTF-16 code units of Markdown; what it renders to is no longer
_DATA = 64  # bytes a button carries
_FILE = "tg://file/"
_TOKEN = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{10,100}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_NAME = re.compile(r"[A-Za-z0-9_]{3,64}")
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{1,64}))?(?:\s+|$)")
_UP = frozenset("👍❤🔥🎉👏🥰😁🙏👌💯🏆🤩")
_DOWN = frozenset("👎💩🤮🤬😢😡")
_MEDIA = (
    ("document", "document", "application/octet-stream"),
    ("video", "video.mp4", "video/mp4"),
    ("animation", "animation.mp4", "video/mp4"),
    ("audio", "audio.mp3", "audio/mpeg"),
    ("voice", "voice.ogg", "audio/ogg"),
    ("video_note", "video.mp4", "video/mp4"),
)
# Our own HTML fragment (render.to_html), in the tags Telegram knows.
_TAGS = (
    (re.compile(r"<(/?)strong>"), r"<\1b>"),
    (re.compile(r"<(/?)em>"), r"<\1i>"),
    (re.compile(r"<br>\n?"), "\n"),
    (re.compile(r"</?p>|</?ul>"), ""),
)
_ORDERED = re.compile(r"<ol>(.*?)</ol>", re.DOTALL)
_ITEM = re.compile(r"<li>(.*?)</li>", re.DOTALL)


class TelegramSettings(Section):
    """One bot. `webhook_secret` is what setWebhook was given as secret_token; `timeout` in seconds.

    `public_url` is the server's address as Telegram calls it, without /channels/telegram: only to look whether the
    webhook leads here.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_TELEGRAM_")

    bot_token: SecretStr = SecretStr("")
    webhook_secret: SecretStr = SecretStr("")
    username: str = ""
    public_url: str = ""
    api_base_url: str | None = None
    timeout: float = Field(default=15.0, gt=0, le=60)

    @property
    def bot(self) -> str:
        """The bot's id: the inbox address, and what the webhook's URL names."""
        return self.bot_token.get_secret_value().partition(":")[0]

    def method(self, name: str, prefix: str = "") -> str:
        """Return the URL of a method, or of a file with the prefix /file."""
        base = (self.api_base_url or "https://api.telegram.org").rstrip("/")
        return f"{base}{prefix}/bot{self.bot_token.get_secret_value()}/{name}"


def configured(settings: Section) -> list[tuple[str, str]]:
    """Return the bot as an inbox. Raises MisconfiguredError naming what is missing or cannot be right."""
    own = _own(settings)
    token, secret = own.bot_token.get_secret_value(), own.webhook_secret.get_secret_value()
    given = {
        "USHER_TELEGRAM_BOT_TOKEN": bool(token),
        "USHER_TELEGRAM_WEBHOOK_SECRET": bool(secret),
        "USHER_TELEGRAM_USERNAME": bool(own.username),
    }
    if not any(given.values()):
        return []
    if missing := [name for name, is_given in given.items() if not is_given]:
        raise MisconfiguredError(f"telegram is half configured; missing: {', '.join(missing)}")
    if not _TOKEN.fullmatch(token):
        raise MisconfiguredError("telegram: USHER_TELEGRAM_BOT_TOKEN must be as BotFather gave it")
    if not _SECRET.fullmatch(secret):
        raise MisconfiguredError(
            "telegram: USHER_TELEGRAM_WEBHOOK_SECRET must be 16 to 256 of A-Z a-z 0-9 _ -"
        )
    if not _NAME.fullmatch(own.username):
        raise MisconfiguredError(
            "telegram: USHER_TELEGRAM_USERNAME must be the bot's name without @"
        )
    return [(own.bot, "customer")]


@dataclass(slots=True)
class TelegramChannel:
    """The adapter."""

    context: ChannelContext

    def locate(self, request: WebhookRequest) -> str | None:
        """Return the bot that the webhook's URL names: an update does not say whose it is."""
        try:
            query = parse_qs(urlsplit(request.url).query, max_num_fields=20)
        except ValueError:
            return None
        return next(iter(query.get("bot", ())), None)

    async def receive(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Verify and parse one update. Raises SignatureError, AnomalousPayloadError."""
        settings = _own(inbox.settings)
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        secret = settings.webhook_secret.get_secret_value()
        if not secret or not hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()):
            raise SignatureError("X-Telegram-Bot-Api-Secret-Token is wrong")
        return await self.read(request, inbox)

    async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
        """Parse only. Raises AnomalousPayloadError."""
        update = _parse(request.body)
        reader = _Reader(update, _own(inbox.settings))
        event = reader.event(self._line("telegram.start", reader.locale or "en"))
        if isinstance(event, Inbound) and event.text.startswith("#") and reader.pressed:
            kept = await self.context.state.get("telegram", inbox.tenant, f"value:{event.text}")
            event = replace(event, text=str((kept or {}).get("value") or event.text))
        return Received((event,), _reply(reader))

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Send the message, in several when it is long; a repeat goes on where it stopped.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        settings = _own(inbox.settings)
        payloads = await self._payloads(outbound)
        if not payloads:
            raise PermanentDeliveryError("there is nothing to send")
        sent = await self._sent_parts(outbound)
        for payload in payloads[len(sent) :]:
            sent = [*sent, await self._send(settings, outbound, payload)]
            try:
                key = f"parts:{outbound.id}"
                await self.context.state.put("telegram", outbound.tenant, key, {"ids": sent})
            except Exception as error:
                raise UnknownOutcomeError("sent, but that could not be noted") from error
        return Sent(sent[-1])

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Telegram cannot be asked what a bot has sent. Raises UnknownOutcomeError."""
        raise UnknownOutcomeError("Telegram cannot be asked whether it has the message")

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return a file somebody sent: getFile, then the file itself.

        Raises TooLargeError, RetryableDeliveryError, PermanentDeliveryError.
        """
        settings = _own(inbox.settings)
        file_id = (attachment.url or "").removeprefix(_FILE)
        try:
            found = await _call(settings, "getFile", {"file_id": file_id})
        except UnknownOutcomeError as error:
            raise RetryableDeliveryError("Telegram did not answer") from error
        path = str(found.get("file_path") or "")
        if not path or ".." in path:
            raise PermanentDeliveryError("Telegram has no such file")
        data = bytearray()
        try:
            async with (
                _client(settings) as client,
                client.stream("GET", settings.method(path, "/file")) as answer,
            ):
                if not answer.is_success:
                    raise RetryableDeliveryError(f"Telegram answered {answer.status_code}")
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > limit:
                        raise TooLargeError("the file is too large")
        except httpx.HTTPError as error:
            raise RetryableDeliveryError("the file could not be fetched") from error
        return bytes(data)

    async def examine(self, inbox: Inbox) -> tuple[Finding, ...]:
        """Ask Telegram who the bot is and where its updates go."""
        settings = _own(inbox.settings)
        try:
            me = await _call(settings, "getMe", {})
            hook = await _call(settings, "getWebhookInfo", {})
        except DeliveryError as error:
            return (Finding(ok=False, sentence=f"USHER_TELEGRAM_BOT_TOKEN: {error.detail}."),)
        return tuple(_findings(settings, me, hook))

    async def close(self) -> None:
        """Nothing stays open: every call has its own connection."""

    # ------------------------------------------------------------ sending

    async def _payloads(self, outbound: Outbound) -> list[dict[str, Any]]:
        parts = render(
            outbound.text,
            replace(CAPABILITIES, max_chars=_PART),
            citations=outbound.citations,
            words=words_for(outbound, self.context.lines, CAPABILITIES),
        )
        payloads: list[dict[str, Any]] = [
            {
                "text": _html(part),
                "parse_mode": "HTML",
                "link_preview_options": {"is_disabled": True},
            }
            for part in parts
        ]
        if payloads and outbound.quick_replies:
            payloads[-1]["reply_markup"] = {"inline_keyboard": await self._keyboard(outbound)}
        answered = _message_of(outbound.references[-1]) if outbound.references else None
        if payloads and answered and _is_group(outbound.address) and not outbound.private:
            payloads[0]["reply_parameters"] = {
                "message_id": answered,
                "allow_sending_without_reply": True,
            }
        return [*payloads, *({"document": file} for file in outbound.attachments if file.data)]

    async def _keyboard(self, outbound: Outbound) -> list[list[dict[str, str]]]:
        rows = []
        for choice in outbound.quick_replies[: CAPABILITIES.max_buttons]:
            data = choice.value
            if len(data.encode()) > _DATA or data.startswith("#"):
                data = f"#{hashlib.sha256(choice.value.encode()).hexdigest()[:32]}"
                value = {"value": choice.value}
                await self.context.state.put("telegram", outbound.tenant, f"value:{data}", value)
            rows.append([{"text": choice.label[:_DATA], "callback_data": data}])
        return rows

    async def _send(
        self, settings: TelegramSettings, outbound: Outbound, payload: Mapping[str, Any]
    ) -> str:
        if outbound.private and _is_group(outbound.address):
            return await self._send_privately(settings, outbound, payload)
        return await _post(settings, outbound.address, payload)

    async def _send_privately(
        self, settings: TelegramSettings, outbound: Outbound, payload: Mapping[str, Any]
    ) -> str:
        """Send to the member alone; who has never written to the bot is told in the group how to."""
        member = (outbound.thread or "").rpartition(":")[2]
        line = self._line("telegram.private", outbound.locale, username=settings.username)
        if member.isdigit():
            try:
                return await _post(settings, member, payload)
            except PermanentDeliveryError:
                pass
        return await _post(settings, outbound.address, {"text": line})

    async def _sent_parts(self, outbound: Outbound) -> list[str]:
        note = await self.context.state.get("telegram", outbound.tenant, f"parts:{outbound.id}")
        ids = (note or {}).get("ids", [])
        return [str(each) for each in ids] if isinstance(ids, list) else []

    def _line(self, key: str, locale: str, **slots: object) -> str:
        return self.context.lines.say(key, locale, "telegram", **slots)


# ---------------------------------------------------------------- reading


class _Reader:
    """One update. Whatever is missing or of another kind than the Bot API says makes it nobody's."""

    def __init__(self, update: Mapping[str, Any], settings: TelegramSettings) -> None:
        self._update = update
        self._settings = settings
        self.pressed = str(_object(update, "callback_query").get("id") or "")
        self.locale: str | None = None

    def event(self, start: str) -> Event:
        """Return what the update means; `start` is what /start says in words."""
        kinds = {
            "message": self._message,
            "edited_message": self._edited,
            "callback_query": self._press,
            "message_reaction": self._reaction,
            "my_chat_member": self._membership,
        }
        for kind, read in kinds.items():
            body = _object(self._update, kind)
            if body:
                return self._worded(read(body), start)
        return Ignored("an update that is not for us")

    def _worded(self, event: Event, start: str) -> Event:
        if isinstance(event, Inbound) and event.text == "/start":
            return replace(event, text=start)
        return event

    def _message(self, message: Mapping[str, Any]) -> Event:
        sender, chat = self._person(message), _id(_object(message, "chat"))
        number = message.get("message_id")
        if sender is None or chat is None or not isinstance(number, int):
            return Ignored("nobody's message")
        shared = _is_group(chat)
        if shared and not self._is_for_us(message):
            return Ignored("a group talks among itself")
        text = self._text(message)
        files = _files(message)
        if not text and not files:
            return Ignored("a message without words or files")
        return self._inbound(message, sender, f"{chat}:{number}", text, files)

    def _inbound(
        self,
        message: Mapping[str, Any],
        sender: str,
        name: str,
        text: str,
        files: tuple[Attachment, ...] = (),
    ) -> Inbound:
        chat = str(_id(_object(message, "chat")))
        shared = _is_group(chat)
        return Inbound(
            channel="telegram",
            external_id=f"{self._settings.bot}:{name}",
            sender=sender,
            text=text,
            reply_to=chat,
            # in a group everybody has a conversation of their own: no two people share one
            thread=f"{self._settings.bot}:{chat}:{sender}" if shared else None,
            display_name=self._name,
            locale=self.locale,
            attachments=files,
            shared=shared,
        )

    def _edited(self, message: Mapping[str, Any]) -> Event:
        sender, chat = self._person(message), _id(_object(message, "chat"))
        number = message.get("message_id")
        if sender is None or chat is None or not isinstance(number, int):
            return Ignored("nobody's message")
        external = f"{self._settings.bot}:{chat}:{number}"
        return Correction("telegram", external, sender, self._text(message))

    def _press(self, press: Mapping[str, Any]) -> Event:
        sender, message = self._person(press), _object(press, "message")
        data = press.get("data")
        if sender is None or not isinstance(data, str) or not data or not message:
            return Ignored("a press that says nothing")
        if _id(_object(message, "chat")) is None or not self.pressed:
            return Ignored("a press nowhere")
        return self._inbound(message, sender, f"press:{self.pressed[:64]}", _clean(data))

    def _reaction(self, reaction: Mapping[str, Any]) -> Event:
        person, chat = _object(reaction, "user"), _id(_object(reaction, "chat"))
        sender, number = _id(person), reaction.get("message_id")
        if sender is None or person.get("is_bot") or chat is None or not isinstance(number, int):
            return Ignored("nobody's reaction")
        given = reaction.get("new_reaction")
        shown = [_object_of(each).get("emoji") for each in given] if isinstance(given, list) else []
        marks = {str(each).replace("\ufe0f", "") for each in shown}
        value = "up" if marks & _UP else "down" if marks & _DOWN else ""
        if marks and not value:
            return Ignored("a reaction that is neither thumb")
        return Reaction("telegram", f"{chat}:{number}", sender, value)  # type: ignore[arg-type]

    def _membership(self, change: Mapping[str, Any]) -> Event:
        """Who blocks the bot has opted out, who unblocks it has opted in; Telegram tells them itself."""
        sender, chat = self._person(change), _object(change, "chat")
        status = _object(change, "new_chat_member").get("status")
        if sender is None or chat.get("type") != "private" or status not in ("kicked", "member"):
            return Ignored("a change of membership")
        return ConsentChange(
            "telegram",
            sender,
            f"{self._settings.bot}:update:{self._update.get('update_id')}",
            "BLOCK" if status == "kicked" else "UNBLOCK",
            granted=status == "member",
            provider_answered=True,
        )

    def _person(self, body: Mapping[str, Any]) -> str | None:
        """Return who wrote, unless it is a bot, a channel or an anonymous admin."""
        person = _object(body, "from")
        sender = _id(person)
        if sender is None or person.get("is_bot") is not False or _object(body, "sender_chat"):
            return None
        names = (person.get("first_name"), person.get("last_name"))
        self._name = " ".join(_clean(each) for each in names if isinstance(each, str))[:200] or None
        language = str(person.get("language_code") or "")[:2]
        self.locale = language if language in ("en", "es") else None
        return sender

    _name: str | None = None

    def _is_for_us(self, message: Mapping[str, Any]) -> bool:
        answered = _object(_object(message, "reply_to_message"), "from")
        if str(answered.get("id")) == self._settings.bot:
            return True
        text = message.get("text") or message.get("caption") or ""
        if not isinstance(text, str):
            return False
        named = f"@{self._settings.username}".casefold()
        return any(word.casefold() == named for word in re.findall(r"@[A-Za-z0-9_]+", text))

    def _text(self, message: Mapping[str, Any]) -> str:
        """Return what was written, without our own name and without a command's slash."""
        text = message.get("text") or message.get("caption") or ""
        text = _clean(text) if isinstance(text, str) else ""
        command = _COMMAND.match(text)
        if (
            command
            and (command[2] or self._settings.username).casefold()
            == self._settings.username.casefold()
        ):
            rest = text[command.end() :].strip()
            if command[1] == "start":
                return "/start"  # what follows is a deep link's token, nobody's words
            text = f"{command[1]} {rest}".strip()
        return re.sub(rf"(?i)@{re.escape(self._settings.username)}\b", "", text).strip()


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        update = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnomalousPayloadError("the body is no JSON") from error
    if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
        raise AnomalousPayloadError("that is no update of the Bot API")
    return update


def _reply(reader: _Reader) -> WebhookReply:
    """Answer a press in the reply itself, so that its button stops spinning."""
    if not reader.pressed:
        return WebhookReply()
    method = {"method": "answerCallbackQuery", "callback_query_id": reader.pressed[:64]}
    return WebhookReply(200, {"content-type": "application/json"}, json.dumps(method).encode())


def _files(message: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Return the files by Telegram's id; of a photo its largest size."""
    found = []
    photos = message.get("photo")
    if isinstance(photos, list) and photos:
        found.append((_object_of(photos[-1]), "photo.jpg", "image/jpeg"))
    for kind, name, content_type in _MEDIA:
        media = _object(message, kind)
        # an animation comes as a document too
        if media and not (kind == "document" and _object(message, "animation")):
            found.append((media, name, content_type))
    files = []
    for media, name, content_type in found:
        file_id, size = media.get("file_id"), media.get("file_size")
        if isinstance(file_id, str) and file_id:
            files.append(
                Attachment(
                    name=_clean(str(media.get("file_name") or name))[:200],
                    content_type=_clean(str(media.get("mime_type") or content_type))[:100],
                    size=size if isinstance(size, int) and size >= 0 else 0,
                    url=f"{_FILE}{file_id[:300]}",
                )
            )
    return tuple(files)


def _object(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _object_of(body.get(key))


def _object_of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(body: Mapping[str, Any]) -> str | None:
    number = body.get("id")
    return str(number) if isinstance(number, int) and not isinstance(number, bool) else None


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode().strip()


def _is_group(chat: str) -> bool:
    return chat.startswith("-")  # groups, supergroups and channels have negative ids


def _message_of(external_id: str) -> int | None:
    number = external_id.rpartition(":")[2]
    return int(number) if number.isascii() and number.isdigit() else None


# ---------------------------------------------------------------- writing


def _html(markdown: str) -> str:
    """Return Markdown in the HTML of parse_mode HTML."""
    text = to_html(markdown)

    def counted(match: re.Match[str]) -> str:
        items = _ITEM.findall(match[1])
        return "\n".join(f"{number}. {item}" for number, item in enumerate(items, 1))

    text = _ITEM.sub(r"• \1\n", _ORDERED.sub(counted, text))
    for pattern, tag in _TAGS:
        text = pattern.sub(tag, text)
    return text.strip()


def _client(settings: TelegramSettings) -> httpx.AsyncClient:
    timeout = httpx.Timeout(settings.timeout, connect=5.0)
    return httpx.AsyncClient(timeout=timeout, trust_env=False)


async def _post(settings: TelegramSettings, chat: str, payload: Mapping[str, Any]) -> str:
    """Send one message; returns chat:message_id."""
    file = payload.get("document")
    if isinstance(file, Attachment):
        sent = await _call(settings, "sendDocument", {"chat_id": chat}, file)
    else:
        sent = await _call(settings, "sendMessage", {"chat_id": chat, **payload})
    return f"{_id(_object(sent, 'chat')) or chat}:{sent.get('message_id')}"


async def _call(
    settings: TelegramSettings,
    method: str,
    payload: Mapping[str, Any],
    file: Attachment | None = None,
) -> Mapping[str, Any]:
    """Call a method and return its result; the error never names the URL, which holds the token.

    Raises RetryableDeliveryError (surely not taken), PermanentDeliveryError, UnknownOutcomeError.
    """
    try:
        async with _client(settings) as client:
            if file is None:
                answer = await client.post(settings.method(method), json=dict(payload))
            else:
                form = {"document": (file.name, file.data or b"", file.content_type)}
                url = settings.method(method)
                answer = await client.post(url, data=dict(payload), files=form)
            body = _object_of(answer.json())
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
        raise RetryableDeliveryError("Telegram could not be reached") from None
    except (httpx.HTTPError, ValueError):
        raise UnknownOutcomeError("Telegram did not answer; it may have the message") from None
    if body.get("ok") is True:
        return _object(body, "result")
    return await _refused(settings, method, payload, answer.status_code, body)


async def _refused(
    settings: TelegramSettings,
    method: str,
    payload: Mapping[str, Any],
    status: int,
    body: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Try once more what can be put right at once (a group that moved, HTML it does not take), else say why."""
    told = str(body.get("description") or "")[:200]
    parameters = _object(body, "parameters")
    moved = parameters.get("migrate_to_chat_id")
    if isinstance(moved, int) and str(payload.get("chat_id")) != str(moved):
        return await _call(settings, method, {**payload, "chat_id": moved})
    if status == 400 and "parse entities" in told and "parse_mode" in payload:
        plain = re.sub(r"<[^<>]+>", "", str(payload.get("text")))
        kept = {key: value for key, value in payload.items() if key != "parse_mode"}
        for escaped, mark in (
            ("&lt;", "<"),
            ("&gt;", ">"),
            ("&quot;", '"'),
            ("&#x27;", "'"),
            ("&amp;", "&"),
        ):
            plain = plain.replace(escaped, mark)
        return await _call(settings, method, {**kept, "text": plain})
    if status == 429:
        wait = parameters.get("retry_after")
        after = float(wait) if isinstance(wait, int) else None
        raise RetryableDeliveryError("Telegram has had too many messages", retry_after=after)
    if status >= 500 or status < 400:
        raise UnknownOutcomeError(f"Telegram answered {status}; it may have the message")
    raise PermanentDeliveryError(f"Telegram refused ({status}): {told or 'no reason given'}")


def _findings(
    settings: TelegramSettings, me: Mapping[str, Any], hook: Mapping[str, Any]
) -> Sequence[Finding]:
    name = str(me.get("username") or "")
    right = name.casefold() == settings.username.casefold()
    found = [
        Finding(
            ok=right,
            sentence=f"The bot is @{name}."
            if right
            else f"The token is @{name}'s: set USHER_TELEGRAM_USERNAME={name}.",
        )
    ]
    wanted = f"{settings.public_url.rstrip('/')}/channels/telegram?bot={settings.bot}"
    url = str(hook.get("url") or "")
    leads_here = url == wanted if settings.public_url else url.endswith(wanted)
    found.append(
        Finding(
            ok=leads_here,
            sentence="Updates come here."
            if leads_here
            else f"Updates go to {url or 'nowhere'}: call setWebhook with url {wanted} and the secret_token.",
        )
    )
    allowed = hook.get("allowed_updates")
    missing = [u for u in UPDATES if u not in (allowed if isinstance(allowed, list) else [])]
    if missing:
        told = f"setWebhook's allowed_updates lacks {', '.join(missing)}."
        found.append(Finding(ok=False, sentence=told))
    if trouble := str(hook.get("last_error_message") or ""):
        found.append(
            Finding(ok=False, sentence=f"Telegram's last delivery failed: {trouble[:200]}.")
        )
    return found


def _own(settings: Section | None) -> TelegramSettings:
    if not isinstance(settings, TelegramSettings):
        raise MisconfiguredError(
            f"telegram: expected TelegramSettings, got {type(settings).__name__}"
        )
    return settings


def build(context: ChannelContext) -> Channel:
    """Return the adapter."""
    return TelegramChannel(context)


CHANNEL = ChannelSpec(
    name="telegram",
    capabilities=CAPABILITIES,
    settings=TelegramSettings,
    configured=configured,
    build=build,
    summary="Telegram bots: private chats and groups, with buttons and thumbs.",
)

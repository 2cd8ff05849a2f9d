"""Phone calls as Twilio makes them: signed webhooks out, TwiML in and played as text, and the REST side of a call.

Owns the request parameters of a voice webhook, which verb does what, and the Calls, Recordings and number resources.
Sources: Twilio's pages "Twilio's request to your application", "TwiML", "Call resource".
Not here: signatures (twilio_api.py), who calls (world.py).
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, ParseError, fromstring

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.simulator.switches import SignedRequest
from app.simulator.twilio_api import TwilioStandIn
from core.clock import Clock
from core.errors import BadInputError, NotFoundError, UnavailableError

DEADLINE = 15.0  # seconds Twilio waits for TwiML
_MOST_REDIRECTS = 20
_RECORDING = b"ID3\x03\x00\x00\x00\x00\x00\x00stand-in recording"


@dataclass(slots=True)
class PhoneCall:
    """One call. `heard` is (who, text): usher, caller or note; `doing` talk | ring | record | over."""

    sid: str
    from_: str
    to: str
    started_at: datetime
    heard: list[tuple[str, str]] = field(default_factory=list)
    doing: str = "talk"
    action: str = ""
    transcript: str | None = None
    rung: str = ""
    recorded: str | None = None
    busy: bool = False
    documents: list[str] = field(default_factory=list)

    def said(self) -> list[str]:
        """Return what usher said, in order."""
        return [text for who, text in self.heard if who == "usher"]


class CallsStandIn:
    """The calls of one account, over the account of `twilio`. `webhook_url` is what the number is configured with."""

    def __init__(
        self,
        clock: Clock,
        twilio: TwilioStandIn,
        webhook_url: str,
        number: str,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """Start without calls."""
        self.clock = clock
        self.twilio = twilio
        self.webhook_url = webhook_url
        self.number = number
        self.calls: list[PhoneCall] = []
        self.number_settings: dict[str, object] = {
            "voice_url": webhook_url,
            "voice_method": "POST",
            "status_callback": f"{webhook_url}?at=status",
            "status_callback_method": "POST",
        }
        self.post_to: Callable[[str], str] = lambda url: url
        self.api_base_url = ""
        self._changed = changed

    def settings(self, api_base_url: str) -> dict[str, object]:
        """Return the channel's settings that lead here, by field name."""
        self.api_base_url = api_base_url
        return {
            "account_sid": self.twilio.account_sid,
            "auth_token": self.twilio.auth_token,
            "number": self.number,
            "public_url": self.webhook_url.removesuffix("/channels/voice"),
            "api_base_url": api_base_url,
        }

    # ------------------------------------------------------------ the caller

    def call(self, sid: str) -> PhoneCall:
        """Return a call. Raises NotFoundError."""
        found = next((call for call in self.calls if call.sid == sid), None)
        if found is None:
            raise NotFoundError("no such call")
        return found

    async def dial(self, number: str) -> PhoneCall:
        """Call us. Raises UnavailableError when our webhook does not answer in time, or refuses."""
        call = PhoneCall(f"CA{secrets.token_hex(16)}", number, self.number, self.clock.now())
        self.calls.append(call)
        await self._fetch(call, self.webhook_url, {"CallStatus": "ringing"})
        return call

    async def say(self, call: PhoneCall, text: str, confidence: str = "0.93") -> None:
        """Say something while usher listens."""
        self._require(call, "talk")
        call.heard.append(("caller", text))
        await self._fetch(call, call.action, {"SpeechResult": text, "Confidence": confidence})

    async def press(self, call: PhoneCall, digit: str) -> None:
        """Press a key while usher listens."""
        self._require(call, "talk")
        call.heard.append(("caller", f"[{digit}]"))
        await self._fetch(call, call.action, {"Digits": digit})

    async def stay_silent(self, call: PhoneCall) -> None:
        """Say nothing until usher stops listening."""
        self._require(call, "talk")
        call.heard.append(("note", "silence"))
        await self._fetch(call, call.action, {})

    async def end_ringing(self, call: PhoneCall, *, answered: bool) -> None:
        """Let the person who is rung pick up and talk, or not."""
        self._require(call, "ring")
        call.heard.append(("note", "talked to a person" if answered else "nobody picked up"))
        status = "completed" if answered else "no-answer"
        await self._fetch(call, call.action, {"DialCallStatus": status, "DialCallSid": "CA0"})

    async def leave(self, call: PhoneCall, text: str) -> None:
        """Speak after the tone; the words are written down if that was asked for."""
        self._require(call, "record")
        call.heard.append(("caller", text))
        url = self._recording_url()
        recording = {"RecordingUrl": url, "RecordingDuration": "7", "RecordingSid": url[-34:]}
        written = call.transcript
        await self._fetch(call, call.action, {**recording, "Digits": "hangup"})
        if written is not None:
            fields = {**recording, "TranscriptionStatus": "completed", "TranscriptionText": text}
            await self._send(self.request(call, written, fields))

    async def hang_up(self, call: PhoneCall) -> None:
        """Hang up."""
        if call.doing != "over":
            await self._over(call)

    # ------------------------------------------------------------ webhooks and TwiML

    def request(self, call: PhoneCall, url: str, fields: Mapping[str, str]) -> SignedRequest:
        """Return a webhook of the call as Twilio signs it."""
        form = {
            "AccountSid": self.twilio.account_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": call.sid,
            "CallStatus": "completed" if call.doing == "over" else "in-progress",
            "Called": call.to,
            "Caller": call.from_,
            "Direction": "inbound",
            "From": call.from_,
            "To": call.to,
            **fields,
        }
        return self.twilio.sign(url, list(form.items()))

    async def _fetch(self, call: PhoneCall, url: str, fields: Mapping[str, str]) -> None:
        """Ask for TwiML and play it, following redirects as Twilio does."""
        call.busy = True
        self._changed()
        try:
            asked = fields
            for _hop in range(_MOST_REDIRECTS):
                answer = await self._send(self.request(call, url, asked))
                if call.doing == "over":
                    return
                following = self.play(call, answer)
                if following is None:
                    break
                url, asked = urljoin(url, following), {}
                self._changed()
        finally:
            call.busy = False
            self._changed()
        if call.doing == "over":
            await self._over(call)

    def play(self, call: PhoneCall, document: str) -> str | None:
        """Do what the verbs say up to the first that waits; returns where a Redirect leads.

        Raises UnavailableError for what is no TwiML.
        """
        call.documents.append(document)
        try:
            root = fromstring(document)  # noqa: S314 - our own server's answer
        except ParseError as error:
            raise UnavailableError("our webhook did not answer with TwiML") from error
        for verb in root:
            match verb.tag:
                case "Redirect":
                    return verb.text or ""
                case "Gather" | "Record" | "Dial" | "Hangup":
                    self._wait(call, verb)
                    return None
                case _:
                    self._perform(call, verb)
        call.doing = "over"
        return None

    def _perform(self, call: PhoneCall, verb: Element) -> None:
        match verb.tag:
            case "Say":
                call.heard.append(("usher", "".join(verb.itertext())))
            case "Start":
                call.recorded = verb[0].get("recordingStatusCallback")
                call.heard.append(("note", "recording"))
            case _:
                raise UnavailableError(f"the stand-in does not play <{verb.tag}>")

    def _wait(self, call: PhoneCall, verb: Element) -> None:
        call.action = verb.get("action", "")
        for inner in verb.findall("Say"):
            self._perform(call, inner)
        match verb.tag:
            case "Gather":
                call.doing = "talk"
            case "Dial":
                call.doing, call.rung = "ring", "".join(verb.itertext()).strip()
                call.heard.append(("note", f"ringing {call.rung}"))
            case "Record":
                call.doing, call.transcript = "record", verb.get("transcribeCallback")
                call.heard.append(("note", "tone"))
            case _:
                call.doing = "over"

    async def _over(self, call: PhoneCall) -> None:
        call.doing = "over"
        call.heard.append(("note", "call ended"))
        self._changed()
        status = str(self.number_settings["status_callback"])
        await self._send(self.request(call, status, {"CallStatus": "completed"}))
        if call.recorded:
            callback, call.recorded = call.recorded, None
            form = {
                "AccountSid": self.twilio.account_sid,
                "CallSid": call.sid,
                "RecordingSid": "RE1",
                "RecordingStatus": "completed",
                "RecordingUrl": self._recording_url(),
                "RecordingDuration": "30",
            }
            await self._send(self.twilio.sign(callback, list(form.items())))

    def _recording_url(self) -> str:
        base = self.api_base_url or self.webhook_url.partition("/channels")[0]
        return f"{base}/recordings/RE{secrets.token_hex(16)}"

    async def _send(self, request: SignedRequest) -> str:
        try:
            async with httpx.AsyncClient(timeout=DEADLINE, trust_env=False) as client:
                answer = await client.request(
                    request.method,
                    self.post_to(request.url),
                    headers=dict(request.headers),
                    content=request.body,
                )
        except httpx.HTTPError as error:
            raise UnavailableError("our own webhook did not answer") from error
        if answer.status_code >= 300:
            raise UnavailableError(f"our own webhook refused it ({answer.status_code})")
        return answer.text

    def _require(self, call: PhoneCall, doing: str) -> None:
        if call.doing != doing or call.busy:
            raise BadInputError("the call is not at that point")

    # ------------------------------------------------------------ REST

    def app(self) -> Starlette:
        """Return the API to mount at what the channel calls its base URL."""
        base = "/2010-04-01/Accounts/{account}"
        return Starlette(
            routes=[
                Route(f"{base}/Calls/{{sid}}.json", self._change, methods=["POST"]),
                Route(f"{base}/IncomingPhoneNumbers.json", self._numbers, methods=["GET"]),
                Route(f"{base}.json", self._account, methods=["GET"]),
                Route("/recordings/{sid}.mp3", self._recording, methods=["GET"]),
            ]
        )

    async def _change(self, request: Request) -> Response:
        if not self._is_authentic(request):
            return _error(401, 20003)
        failure = self.twilio.switches.take()
        if failure is not None:
            if failure.status == 0:
                await self.twilio.switches.hang()
            return _error(failure.status or 504, 20500, failure.retry_after)
        call = next((c for c in self.calls if c.sid == request.path_params["sid"]), None)
        if call is None or call.doing == "over":
            return _error(404 if call is None else 400, 20404 if call is None else 21220)
        async with request.form() as form:
            document = str(form.get("Twiml", ""))
        self.play(call, document)
        await asyncio.sleep(0)
        self._changed()
        return JSONResponse({"sid": call.sid, "status": "in-progress"})

    async def _numbers(self, request: Request) -> Response:
        if not self._is_authentic(request):
            return _error(401, 20003)
        asked = request.query_params.get("PhoneNumber")
        found = {
            "phone_number": self.number,
            "capabilities": {"voice": True, "sms": True},
            **self.number_settings,
        }
        return JSONResponse({"incoming_phone_numbers": [found] if asked == self.number else []})

    async def _account(self, request: Request) -> Response:
        if not self._is_authentic(request):
            return _error(401, 20003)
        return JSONResponse({"sid": self.twilio.account_sid, "status": "active"})

    async def _recording(self, request: Request) -> Response:
        return Response(_RECORDING, media_type="audio/mpeg")

    def _is_authentic(self, request: Request) -> bool:
        expected = httpx.BasicAuth(self.twilio.account_sid, self.twilio.auth_token)
        flow = expected.auth_flow(httpx.Request("GET", "http://twilio.example"))
        return next(flow).headers["authorization"] == request.headers.get("authorization")


def _error(status: int, code: int, retry_after: int | None = None) -> JSONResponse:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse(
        {"code": code, "message": "Refused", "status": status}, status, headers=headers
    )

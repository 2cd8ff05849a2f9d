"""`usher channels` and `usher inspect`: what a person sees at a shell."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app import describe
from app.cli import app as cli
from app.cli import channels as commands
from app.cli.inspecting import parse_capture
from core.contracts import ChannelContext, Finding, Received, WebhookRequest
from core.conversations import Inbox
from core.errors import BadInputError, MisconfiguredError
from core.messages import Inbound
from tests.channels.serving import PAYLOADS

TWILIO = {
    "USHER_SMS_ACCOUNT_SID": "AC" + "0" * 32,
    "USHER_SMS_AUTH_TOKEN": "0123456789abcdef",
    "USHER_SMS_FROM_NUMBER": "+15005550100",
    "USHER_SMS_PUBLIC_URL": "https://help.example.com",
}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_url: str) -> Path:
    """A shell in an empty folder with a database of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USHER_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(words))
    assert isinstance(done.exception, SystemExit | None), done.exception
    return done.exit_code, done.output


def set_up(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def captured(folder: Path, **fields: Any) -> str:
    file = folder / "capture.json"
    file.write_text(json.dumps(fields), "utf-8")
    return str(file)


# ---------------------------------------------------------------- channels


def test_channels_are_listed_with_what_turns_them_on(
    shell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, {**TWILIO, "USHER_EMAIL_ADDRESS": "help@acme.example"})
    status, said = run("channels", "list")
    lines = {line.split()[1]: line for line in said.splitlines() if line.split()[1:]}
    assert status == 0
    assert lines["sms"].startswith("on   sms")
    assert "+15005550100 (customer)" in lines["sms"]
    assert lines["slack"].startswith("off")
    assert lines["email"].startswith("half")
    assert "USHER_EMAIL_SMTP_HOST" in lines["email"]
    assert TWILIO["USHER_SMS_AUTH_TOKEN"] not in said


class Examined:
    """A channel whose provider says what a test wants."""

    found: Sequence[Finding] | Exception | float = ()

    def __init__(self, context: ChannelContext) -> None:
        pass

    async def examine(self, inbox: Inbox) -> Sequence[Finding]:
        match self.found:
            case Exception() as error:
                raise error
            case float():
                await asyncio.Event().wait()
            case _:
                return self.found
        return ()

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("found", "status", "said"),
    [
        ((Finding(ok=True, sentence="the token is good"),), 0, "ok    the token is good"),
        (
            (Finding(ok=True, sentence="fine"), Finding(ok=False, sentence="webhook: not ours")),
            1,
            "wrong webhook: not ours",
        ),
        (MisconfiguredError("the number is no number"), 1, "wrong the number is no number"),
        (ValueError("s3cret"), 1, "wrong the check itself failed (ValueError)"),
        (1.0, 1, "wrong the provider did not answer within 0.1 seconds"),
    ],
    ids=["good", "one wrong", "misconfigured", "broken", "silent"],
)
def test_a_check_says_what_is_wrong(
    shell: Path, monkeypatch: pytest.MonkeyPatch, found: Any, status: int, said: str
) -> None:
    set_up(monkeypatch, TWILIO)
    monkeypatch.setattr(Examined, "found", found)
    specs = {**describe.channels()}
    specs["sms"] = replace(specs["sms"], build=Examined)  # type: ignore[arg-type]
    monkeypatch.setattr("app.compose.discover", lambda package, kind: _plugins(package, specs))
    done, printed = run("channels", "check", "sms", "--wait", "0.1")
    assert said in printed
    assert "s3cret" not in printed
    assert done == status


def _plugins(package: str, channels: Any) -> Any:
    others = {"handlers": describe.handlers, "guardrails": describe.checks}
    return channels if package == "channels" else others[package]()


def test_a_check_without_anything_to_check(shell: Path) -> None:
    assert run("channels", "check", "slack")[0] == 1
    assert "slack is off" in run("channels", "check", "slack")[1]
    assert run("channels", "check", "pigeon")[0] == 1
    assert run("channels", "check", "web")[0] == 0


def test_half_a_configuration_is_named(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, {**TWILIO, "USHER_SMS_FROM_NUMBER": ""})
    status, said = run("channels", "check", "sms")
    assert status == 1
    assert "USHER_SMS_FROM_NUMBER" in said


def test_what_went_wrong_in_a_setting_shows_no_value() -> None:
    class BrokenError(ValueError):
        def errors(self, **_options: bool) -> list[dict[str, object]]:
            return [{"loc": ("timeout",), "msg": "must be a number"}]

    assert commands._sentence(BrokenError("s3cret")) == "timeout: must be a number"
    assert commands._sentence(ValueError("s3cret")) == "not readable"


# ---------------------------------------------------------------- inspect


def signed_form(url: str, form: Sequence[tuple[str, str]]) -> str:
    """Sign as Twilio does (Usage › Security: validating requests)."""
    text = url + "".join(k + v for k, v in sorted(dict(form).items()))
    key = TWILIO["USHER_SMS_AUTH_TOKEN"].encode()
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()


def form_of(name: str) -> list[tuple[str, str]]:
    read = json.loads((PAYLOADS / f"sms/{name}.json").read_text("utf-8"))
    return [(k, v) for k, v in read["form"]]


def test_a_webhook_with_its_signature(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, TWILIO)
    form, url = form_of("question"), "https://help.example.com/channels/sms"
    headers = {"X-Twilio-Signature": signed_form(url, form)}
    file = captured(shell, method="POST", url=url, headers=headers, form=form)
    status, said = run("inspect", "webhook", "sms", file)
    found = json.loads(said)
    assert (status, found["signature"]["holds"]) == (0, True)
    (event,) = found["events"]
    assert event["kind"] == "Inbound"
    assert event["text"] == dict(form)["Body"]
    assert found["reply"]["status"] == 200


def test_a_webhook_without_one(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, TWILIO)
    file = captured(shell, form=form_of("question"))
    status, said = run("inspect", "webhook", "sms", file)
    found = json.loads(said)
    assert found["signature"]["holds"] is False
    assert found["signature"]["why"]
    # what cannot be verified is shown only by a channel that can read without
    assert (status == 0) == (found["events"] is not None)


def test_a_channel_that_reads_without_verifying(
    shell: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(monkeypatch, TWILIO)
    spec = describe.channels()["sms"]

    class Reading:
        def __init__(self, context: ChannelContext) -> None:
            self.made: Any = spec.build(context)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.made, name)

        async def read(self, request: WebhookRequest, inbox: Inbox) -> Received:
            return Received((Inbound("sms", "SM1", "+1555", request.body.decode()),))

    reading = replace(spec, build=Reading)
    specs = {**describe.channels(), "sms": reading}
    monkeypatch.setattr(describe, "channels", lambda: specs)
    status, said = run("inspect", "webhook", "sms", captured(shell, form=form_of("question")))
    found = json.loads(said)
    assert (status, found["signature"]["holds"]) == (0, False)
    assert found["events"][0]["kind"] == "Inbound"


def test_nothing_is_stored(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_DATABASE_URL", "sqlite+aiosqlite:////nowhere/at/all.db")
    set_up(monkeypatch, TWILIO)
    file = captured(shell, form=form_of("question"))
    before = sorted(shell.iterdir())
    assert run("inspect", "webhook", "sms", file)[1]
    assert sorted(shell.iterdir()) == before


def test_a_time_makes_an_old_signature_young(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    set_up(monkeypatch, {
        "USHER_EMAIL_ADDRESS": "support@lumen.example", "USHER_EMAIL_WEBHOOK_SECRET": secret,
        "USHER_EMAIL_SMTP_HOST": "127.0.0.1",
    })  # fmt: skip
    raw, stamp = b"From: ana@acme.example\r\nTo: support@lumen.example\r\n\r\nhi", "1772625600"
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "message/rfc822", "x-usher-timestamp": stamp,
        "x-usher-signature": f"v1={digest}",
    }  # fmt: skip
    file = captured(shell, headers=headers, body_base64=base64.b64encode(raw).decode())
    verdicts = [
        json.loads(run("inspect", "webhook", "email", file, *more)[1])["signature"]["holds"]
        for more in ((), ("--at", "2026-03-04T12:00:00+00:00"))
    ]
    assert verdicts == [False, True]


def test_a_mail(shell: Path) -> None:
    status, said = run("inspect", "mail", str(PAYLOADS / "email/gmail_reply.eml"))
    found = json.loads(said)
    assert (status, found["text"]) == (0, "And on the Pro plan?")
    assert found["thread"]["references"]
    assert {"signature", "sender", "automatic", "attachments"} <= set(found)


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "mail", "nowhere.eml"),
        ("inspect", "webhook", "sms", "nowhere.json"),
        ("inspect", "webhook", "pigeon", "x"),
    ],
)
def test_what_is_not_there_is_a_sentence(shell: Path, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, list(words))
    assert done.exit_code == 1
    assert isinstance(done.exception, BadInputError | SystemExit)


BODY = b'{"a": 1}'


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (
            b"POST /channels/slack?team=T1 HTTP/1.1\r\nHost: help.example\r\nX-A: b\r\n\r\n" + BODY,
            ("POST", "https://help.example/channels/slack?team=T1", "b", BODY),
        ),
        (
            b"POST /x HTTP/1.1\nHost: h.example\nX-Forwarded-Proto: http\nX-A: b\n\n" + BODY,
            ("POST", "http://h.example/x", "b", BODY),
        ),
        (
            b"POST https://h.example/x HTTP/1.1\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'4\r\n{"a"\r\n4\r\n: 1}\r\n0\r\n\r\n',
            ("POST", "https://h.example/x", "b", BODY),
        ),
        (
            b'{"method": "get", "url": "https://h/x", "headers": {"X-A": "b"}, "body": {"a": 1}}',
            ("GET", "https://h/x", "b", BODY),
        ),
        (
            b'{"headers": {"X-A": "b"}, "body_base64": "eyJhIjogMX0="}',
            ("POST", "https://localhost/channels/slack", "b", BODY),
        ),
        (
            b'{"headers": {"X-A": "b"}, "form": [["a", "1"], ["a", "2"]]}',
            ("POST", "https://localhost/channels/slack", "b", b"a=1&a=2"),
        ),
        (BODY, ("POST", "https://localhost/channels/slack", None, BODY)),
        (b"a=1&b=2\n", ("POST", "https://localhost/channels/slack", None, b"a=1&b=2")),
    ],
    ids=["raw", "bare newlines", "chunked", "capture", "base64", "form", "json body", "form body"],
)
def test_captures(raw: bytes, expected: tuple[str, str, str | None, bytes]) -> None:
    request = parse_capture(raw, "slack")
    found = (request.method, request.url, request.headers.get("x-a"), request.body)
    assert found == expected


@pytest.mark.parametrize(
    "raw", [b'{"method": ', b'{"body_base64": "%%%"}', b"POST\r\n\r\n"], ids=["json", "b64", "http"]
)
def test_what_is_no_capture(raw: bytes) -> None:
    with pytest.raises(BadInputError):
        parse_capture(raw, "sms")

"""Which channels are on, and whether the provider agrees: `usher channels list`, `usher channels check NAME`."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, cast

import typer
from rich.markup import escape

from app.cli.shared import ENV_FILE, err, out, run_here
from core.contracts import ChannelSpec, Examines, Finding
from core.conversations import Inbox
from core.errors import MisconfiguredError

app = typer.Typer()
channels = typer.Typer(no_args_is_help=True, help="Channels, and whether they are set up right.")
app.add_typer(channels, name="channels")

WAIT = 30.0  # seconds for all that one inbox asks its provider


@channels.command("list")
def list_channels() -> None:
    """Print every channel: off, on with its addresses, or what is missing. Asks no provider."""
    from app import describe
    from app.settings import ServerSettings

    url = ServerSettings(_env_file=ENV_FILE).url
    for spec in describe.channels().values():
        state, detail = _state(spec)
        colour = {"on": "green", "off": "dim"}.get(state, "red")
        out.print(
            f"[{colour}]{state:<4}[/] [bold]{spec.name:<9}[/] {escape(detail)}", soft_wrap=True
        )
        if state == "on":
            out.print(f"               {url}/channels/{spec.name}", soft_wrap=True, style="dim")


def _state(spec: ChannelSpec) -> tuple[str, str]:
    try:
        pairs = spec.configured(spec.settings(_env_file=ENV_FILE))
    except (MisconfiguredError, ValueError) as error:
        return "half", _sentence(error)
    if not pairs:
        return "off", spec.summary
    return "on", ", ".join(f"{address} ({kind})" for address, kind in pairs)


@channels.command("check")
def check(
    name: Annotated[str, typer.Argument(help="A channel: sms, email, …")],
    *,
    wait: Annotated[float, typer.Option(help="Seconds for each inbox.")] = WAIT,
) -> None:
    """Try a channel's credentials and webhooks at its provider; say what is wrong, and end with 1 if anything is."""
    from app import describe

    spec = describe.channels().get(name)
    if spec is None:
        known = ", ".join(describe.channels())
        err.print(f"[red]there is no channel {escape(repr(name))}; there are {known}[/]")
        raise typer.Exit(1)
    state, detail = _state(spec)
    if state == "half":
        _print([Finding(ok=False, sentence=detail)])
        raise typer.Exit(1)
    found = run_here(lambda services: _examine_all(services, spec, wait), lean=True)
    if not found:
        prefix = spec.settings.model_config.get("env_prefix", "")
        sentence = f"{name} is off: none of its settings ({prefix}…) is set"
        found = [("", [Finding(ok=False, sentence=sentence)])]
    for address, findings in found:
        if address:
            out.print(f"[bold]{escape(address)}[/]", soft_wrap=True)
        _print(findings)
    if not all(finding.ok for _, findings in found for finding in findings):
        raise typer.Exit(1)


async def _examine_all(
    services: Any, spec: ChannelSpec, wait: float
) -> list[tuple[str, list[Finding]]]:
    """Examine the environment's inboxes and those of other tenants, each address once."""
    rows: Sequence[Inbox] = await services.directory.inboxes()
    known = {inbox.address: inbox for inbox in rows if inbox.channel == spec.name}
    fresh = dict(await asyncio.to_thread(services.inboxes.configured, spec.name))
    channel = services.inboxes.channel(spec.name)
    done = []
    for address in dict.fromkeys([*fresh, *known]):
        findings = []
        inbox = known.get(address)
        if inbox is None:
            inbox = _made_of(spec.name, address, fresh[address])
            findings.append(
                Finding(ok=True, sentence="not in the database yet: the next start adds it")
            )
        elif address not in fresh and not inbox.env_prefix:
            sentence = "in the database, but the settings name it no more: nothing is sent from it"
            findings.append(Finding(ok=False, sentence=sentence))
            done.append((address, findings))
            continue
        whole = await asyncio.to_thread(services.inboxes.complete, inbox)
        findings += await _examine(channel, whole, wait)
        done.append((address, findings))
    return done


def _made_of(channel: str, address: str, kind: str) -> Inbox:
    from core.ids import InboxId, TenantId

    team = "team" if kind == "team" else "customer"
    return Inbox(InboxId("inb_check"), TenantId("demo"), channel, address, team)  # type: ignore[arg-type]


async def _examine(channel: object, inbox: Inbox, wait: float) -> list[Finding]:
    if not hasattr(channel, "examine"):
        return [Finding(ok=True, sentence="its settings are whole; there is no provider to ask")]
    try:
        async with asyncio.timeout(wait):
            return list(await cast("Examines", channel).examine(inbox))
    except TimeoutError:
        return [Finding(ok=False, sentence=f"the provider did not answer within {wait:g} seconds")]
    except MisconfiguredError as error:
        return [Finding(ok=False, sentence=error.detail)]
    except Exception as error:  # noqa: BLE001 - a channel's own fault must not hide what the others found
        kind = type(error).__name__
        return [Finding(ok=False, sentence=f"the check itself failed ({kind}): please report it")]


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        mark = "[green]ok[/]   " if finding.ok else "[red]wrong[/]"
        out.print(f"  {mark} {escape(finding.sentence)}", soft_wrap=True)


def _sentence(error: Exception) -> str:
    """Return what is wrong in words; never a value, which may be a secret."""
    if isinstance(error, MisconfiguredError):
        return error.detail
    errors = getattr(error, "errors", None)
    listed = errors(include_input=False, include_url=False) if callable(errors) else []
    return (
        "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in listed) or "not readable"
    )

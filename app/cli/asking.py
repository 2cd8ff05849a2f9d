"""Asking as a customer would, and looking inside."""

import typer

from app.cli.shared import Tenant, need_server, out, say, show

app = typer.Typer()


@app.command()
def explain(text: str, tenant: Tenant = "demo", channel: str = "web") -> None:
    """Show what would be understood, found, decided and checked; sends nothing."""
    show(need_server("POST", "/explain", tenant, {"text": text, "channel": channel}))


@app.command()
def ask(text: str, tenant: Tenant = "demo", channel: str = "web") -> None:
    """Ask one question and print the answer with its sources."""
    say(need_server("POST", "/msg", tenant, {"text": text, "channel": channel}))


@app.command()
def chat(tenant: Tenant = "demo", channel: str = "web") -> None:
    """Talk until an empty line."""
    conversation: str | None = None
    while text := out.input("[bold]you[/] ").strip():
        body = {"text": text, "channel": channel, "conversation_id": conversation}
        answer = need_server("POST", "/msg", tenant, body)
        conversation = answer["conversation_id"]
        say(answer)

"""usher: serve, ingest, ask, chat, and what a team does from a shell.

Each module holds the commands of one subject in its own `app`; adding a subject is adding a module here.
"""

import typer

from app.cli import asking, backtesting, channels, inspecting, knowledge, people, reports, serving
from app.cli.shared import err
from core.errors import ServiceError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for _subject in (serving, knowledge, asking, backtesting, reports, people, channels, inspecting):
    app.add_typer(_subject.app)


def main() -> None:
    """Run the command line; a known error is one sentence, not a traceback."""
    try:
        app()
    except ServiceError as error:
        err.print(f"[red]{error.detail}[/]")
        raise SystemExit(1) from None

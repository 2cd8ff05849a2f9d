"""Starting the server and workers."""

import asyncio
import gc
from typing import Any

import typer

from app.cli.shared import (
    ENV_FILE,
    bar,
    err,
    in_process,
    out,
)
from core.errors import MisconfiguredError
from core.ids import TenantId

app = typer.Typer()


@app.command()
def up(port: int = 8000, *, browser: bool = False) -> None:
    """Start everything for a look around: migrate, ingest the demo handbook, serve with the simulator."""
    _serve("development", "127.0.0.1", port, demo=True)


@app.command()
def serve(host: str | None = None, port: int | None = None) -> None:
    """Serve as configured by the environment."""
    _serve(None, host, port, demo=False)


def _serve(environment: str | None, host: str | None, port: int | None, *, demo: bool) -> None:
    # A start makes a million objects that stay: looking through them again and again is a fifth of its time.
    gc.disable()
    import uvicorn
    import uvloop

    from app import compose
    from app.ingesting import HANDBOOK, ingest
    from app.main import create_app
    from app.settings import ServerSettings
    from app.simulator.wiring import Simulator
    from core.clock import SystemClock
    from core.logs import configure_logs

    given: dict[str, Any] = {"environment": environment, "host": host, "port": port}
    settings = ServerSettings(
        _env_file=ENV_FILE, **{k: v for k, v in given.items() if v is not None}
    )
    _refuse(settings)
    configure_logs(settings.log_level if not demo else "WARNING")
    compose.migrate(env_file=ENV_FILE)
    clock = SystemClock()
    simulator = Simulator(settings, clock) if settings.development else None
    services = compose.build(
        settings,
        compose.Parts(
            clock=clock,
            env_file=ENV_FILE,
            simulated=simulator.channel_settings() if simulator else {},
        ),
    )
    web = create_app(services, compose.visitor_secret(settings), simulator)

    async def run() -> None:
        config = uvicorn.Config(
            web,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            ws_max_size=1_000_000,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started and not serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # uvicorn tells no other way
        gc.freeze()  # what stands now is never garbage
        gc.enable()
        if demo and server.started:
            with bar("Reading the demo handbook") as moved:
                report = await ingest(services, TenantId("demo"), HANDBOOK, "handbook", moved)
            _welcome(settings.url, report.added + report.changed)
        await serving

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
    except KeyboardInterrupt:
        err.print("stopped")


def _refuse(settings: Any) -> None:
    """Stop a start that would open the development key to the world."""
    if settings.development and settings.host not in ("127.0.0.1", "localhost", "::1"):
        raise MisconfiguredError("development accepts the key `dev` and binds to loopback only")


def _welcome(url: str, fresh: int) -> None:
    if fresh:
        out.print(f"{fresh} handbook pages ingested")
    for what, where in (
        ("Web chat", f"{url}/"),
        ("Simulator", f"{url}/simulator"),
        ("Console", f"{url}/console  (maya@lumen.example / lumen-demo-2026)"),
        ("API", f"{url}/docs  (Authorization: Bearer dev)"),
    ):
        out.print(f"  [bold]{what:<10}[/] {where}")
    out.print("ready, stop with Ctrl+C")


@app.command()
def worker() -> None:
    """Work without serving; needs the scale-out settings."""
    from app import compose
    from app.listening import listeners
    from app.settings import ServerSettings
    from core.logs import configure_logs

    settings = ServerSettings(_env_file=ENV_FILE)
    compose.require_scale_out(ENV_FILE)
    configure_logs(settings.log_level)

    async def run(services: Any) -> None:
        await asyncio.gather(services.worker.run(), listeners(services).run())

    in_process(run, compose, settings)

"""create_app(services): mount the edge, start the worker, stop everything in order."""

import asyncio
import contextlib
import importlib
import logging
import pkgutil
from collections.abc import AsyncIterator, Callable, Iterator

from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import HTTPConnection

import app.api
from app.api import errors, socket
from app.api.web_chat import WebChat
from app.console import build_router as build_console
from app.listening import listeners
from app.services import Services
from app.simulator.wiring import Simulator

logger = logging.getLogger(__name__)


def routers() -> Iterator[APIRouter]:
    """Yield the `router` of every module of app/api that has one: a new subject is a new file."""
    for found in pkgutil.iter_modules(app.api.__path__):
        router = getattr(importlib.import_module(f"app.api.{found.name}"), "router", None)
        if isinstance(router, APIRouter):
            yield router


def create_app(services: Services, secret: str, simulator: Simulator | None = None) -> FastAPI:
    """Return the app. `secret` signs visitor tokens; `simulator` is for development only."""

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await services.open()
        work = _work(services) if services.settings.embedded_worker else []
        if simulator is not None:
            await simulator.open(services)
        try:
            yield
        finally:
            if simulator is not None:
                await simulator.close()
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await services.close()

    web = FastAPI(
        title="usher",
        version="0.1.0",
        summary="The front door of customer success.",
        lifespan=life,
        docs_url="/docs",
        redoc_url=None,
        responses=errors.RESPONSES,
    )
    web.state.services = services
    web.state.visitor_secret = secret
    web.add_middleware(GZipMiddleware, minimum_size=1_000)
    errors.install(web)
    for router in routers():
        web.include_router(router)
    web.include_router(socket.build_router(_chat(services, secret)))
    web.include_router(build_console(), prefix="/console")
    if simulator is not None:
        web.include_router(simulator.router())
        simulator.mount(web)
    return web


def _work(services: Services) -> "list[asyncio.Task[None]]":
    work = [
        asyncio.create_task(services.worker.run(), name="worker"),
        asyncio.create_task(listeners(services).run(), name="listeners"),
    ]
    for task in work:
        task.add_done_callback(_report)
    return work


def _chat(services: Services, secret: str) -> Callable[[HTTPConnection], WebChat]:
    web = services.inboxes.configured("web")
    chat = WebChat(
        clock=services.clock,
        intake=services.intake,
        fanout=services.fanout,
        wakeups=services.wakeups,
        directory=services.directory,
        cache=services.cache,
        lines_for=services.lines_for,
        transcript=services.reads,
        reaches=services.reaches,
        state=services.state,
        calendar=services.calendar,
        files=services.files,
        visitor_secret=secret,
        base_url=services.settings.base_url.rstrip("/"),
        development=services.settings.development,
        demo_key=web[0][0] if web and services.settings.development else None,
    )
    return lambda _connection: chat


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("worker.died", exc_info=task.exception())

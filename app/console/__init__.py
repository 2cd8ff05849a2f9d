"""The CSM console below /console: a server-rendered shell, a JSON API, a socket of hints, plain ES modules.

Owns who may see and do what in it. Not here: what an action means (app/doors.py and the Humans port), SQL.
"""

from fastapi import APIRouter

from app.console import (
    acts,
    customer,
    figures,
    files,
    gaps,
    inbox,
    knowledge,
    live,
    shell,
    signing_in,
    trying,
)

__all__ = ["build_router"]


def build_router() -> APIRouter:
    """Return the console's routes, relative to where it is mounted; needs `app.state.services`."""
    router = APIRouter(include_in_schema=False, redirect_slashes=False)
    for module in (signing_in, inbox, acts, customer, knowledge, gaps, trying, figures, files):
        router.include_router(module.router, prefix="/api")
    router.include_router(live.router)
    shell.add_to(router)
    return router

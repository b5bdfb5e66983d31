"""The embedded forge: a subset of GitHub's REST API, git over HTTP and pages, as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entropy.forge import usage
from entropy.forge.admission import by_ids
from entropy.forge.call import API, Endpoint
from entropy.forge.deliverer import Deliverer
from entropy.forge.dispatch import Dispatch
from entropy.forge.faults import Faults
from entropy.forge.graphql.endpoint import PATH as GRAPHQL
from entropy.forge.graphql.endpoint import Graph
from entropy.forge.refusals import Refusal
from entropy.forge.routes import (
    actions,
    apps,
    checks,
    comments,
    git,
    hooks,
    installations,
    issues,
    labels,
    locks,
    merging,
    moves,
    protections,
    pulls,
    rates,
    reactions,
    relations,
    repositories,
    review_comments,
    reviewers,
    reviews,
    search,
    statuses,
    timeline,
    users,
)
from entropy.forge.smart_http import SmartHTTP
from entropy.forge.store import Store
from entropy.forge.tracking import follow_all
from entropy.forge.web.site import Site

TABLES: tuple[tuple[Endpoint, ...], ...] = (
    users.TABLE,
    apps.TABLE,
    installations.TABLE,
    rates.TABLE,
    comments.TABLE,
    timeline.TABLE,
    reactions.TABLE,
    locks.TABLE,
    labels.TABLE,
    issues.TABLE,
    relations.TABLE,
    search.TABLE,
    reviews.TABLE,
    review_comments.TABLE,
    reviewers.TABLE,
    merging.TABLE,
    pulls.TABLE,
    statuses.TABLE,
    checks.TABLE,
    actions.TABLE,
    protections.TABLE,
    hooks.TABLE,
    git.TABLE,
    repositories.TABLE,
    moves.TABLE,
)


def make_app(data: Path, *, faults: bool = False, limits: bool = False) -> Starlette:
    """The forge over the folder `data`; its `Store` is at ``app.state.store`` and closes with the application.

    With `faults` whoever reaches the forge may have its answers go wrong, see `entropy.forge.faults`. With `limits`
    GitHub's rate limits are enforced; they are counted always, see `entropy.forge.limits`.
    """
    store = Store(data)
    store.limits.enforced = limits

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Deliverer]]:
        deliverer = Deliverer(store)
        await run_in_threadpool(follow_all, store)
        await run_in_threadpool(deliverer.start)
        yield {"deliverer": deliverer}
        await run_in_threadpool(deliverer.close)
        store.close()

    endpoints = [endpoint for table in TABLES for endpoint in table]
    routes = [Route(API + entry.path, Dispatch(store, entry), methods=[entry.method]) for entry in endpoints]
    routes += [Route(API + path, Dispatch(store, entry), methods=[entry.method]) for entry, path in by_ids(endpoints)]
    routes.append(Route(GRAPHQL, Graph(store), methods=["POST"]))
    routes.append(Route("/{owner}/{repo}.git/{service:path}", SmartHTTP(store), methods=["GET", "POST"]))
    routes.append(Route(actions.LOGS, actions.Logs(store).answer, methods=["GET"]))
    routes.append(Route(usage.PATH, usage.Usage(store.limits).answer, methods=["GET", "DELETE"]))
    routes.extend(Site(store).routes())
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _refuse, 500: _fail})
    app.state.store = store
    if faults:
        app.add_middleware(Faults)
    return app


def _refuse(_: Request, error: Exception) -> Response:
    """A path or method that is not here; GitHub says 404 to both."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    refusal = Refusal(404, "Not Found") if status in {404, 405} else Refusal(status, "Bad Request")
    return JSONResponse(refusal.payload(), refusal.status)


def _fail(_: Request, __: Exception) -> Response:
    return JSONResponse(Refusal(500, "Server Error").payload(), 500)

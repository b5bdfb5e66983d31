"""From a browser's request to a page: who looks, at what, and under which rules the browser shows it."""

import sqlite3
from collections.abc import Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from entropy.forge.bodies import parse
from entropy.forge.call import Call
from entropy.forge.gitrepo import GitError
from entropy.forge.permissions import Level, authenticate, level
from entropy.forge.records import repositories
from entropy.forge.refusals import Refusal, not_found
from entropy.forge.store import Store
from entropy.forge.web import commits, files, items, overview
from entropy.forge.web.sheet import Moved, Plain, Sheet
from entropy.forge.web.templates import environment, static, tools

SHEETS = (*items.SHEETS, *commits.SHEETS, *files.SHEETS, *overview.SHEETS)
STATIC = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
EXPLANATIONS = {
    401: "These credentials are not known here. Without any you see what is public.",
    404: "There is nothing at this address, or it is private and you are not signed in.",
}


class Site:
    """Every page over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.templates = environment()

    def routes(self) -> list[Route]:
        """The last one takes every address that nobody else wants, so mount them at the end."""
        found: list[Route] = [Route(f"/{name}", self._static(name, kind)) for name, kind in STATIC.items()]
        found += [Route(sheet.path, self._endpoint(sheet)) for sheet in SHEETS]
        return [*found, Route("/{anything:path}", self._endpoint(Sheet("", "", _nothing)))]

    @staticmethod
    def _static(name: str, kind: str) -> Callable[[Request], Response]:
        content = static(name)
        return lambda _: Response(content, headers={**HEADERS, "Content-Type": kind})

    def _endpoint(self, sheet: Sheet) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            if request.url.path.startswith("/api/"):
                raise HTTPException(404)
            return self._answer(sheet, request)

        return answer

    def _answer(self, sheet: Sheet, request: Request) -> Response:
        with self.store.read() as db:
            call = None
            try:
                call = _call(self.store, db, request)
                told = sheet.gather(call)
                return _plain(told) if isinstance(told, Plain) else self._page(sheet.template, call, told)
            except Moved as moved:
                return RedirectResponse(moved.address, 302, HEADERS)
            except Refusal as refusal:
                return self._refusal(db, call, refusal)
            except GitError as error:
                return self._refusal(db, call, Refusal(422, f"git refuses: {error}."))
            except sqlite3.OperationalError as error:
                return self._refusal(db, None, Refusal(503, f"The forge's record is busy: {error}. Look again soon."))

    def _page(self, template: str, call: Call | None, told: Mapping[str, object], status: int = 200) -> Response:
        text = self.templates.get_template(template).render({**tools(call), **told})
        return Response(text, status, {**HEADERS, "Content-Type": "text/html; charset=utf-8"})

    def _refusal(self, db: sqlite3.Connection, call: Call | None, refusal: Refusal) -> Response:
        public = [row["full_name"] for row in repositories.everyone(db) if not row["private"]]
        told = {
            "status": refusal.status,
            "explanation": EXPLANATIONS.get(refusal.status, refusal.message),
            "public": public[:20],
        }
        return self._page("refusal.html", call, told, refusal.status)


def _nothing(_: Call) -> Plain:
    raise not_found()


def _call(store: Store, db: sqlite3.Connection, request: Request) -> Call:
    params = {name: str(value) for name, value in request.path_params.items()}
    if params.get("repo", "").endswith(".git"):
        raise Moved(request.url.path.replace(".git", "", 1))
    viewer = authenticate(db, request.headers.get("authorization"))
    home = repositories.named(db, f"{params['owner']}/{params['repo']}") if "owner" in params else None
    allowed = level(db, home, viewer) if home else Level.NONE
    if "owner" in params and allowed < Level.READ:
        raise not_found()
    return Call(
        store=store,
        db=db,
        origin=f"{request.url.scheme}://{request.url.netloc}",
        method=request.method,
        path=request.url.path,
        params=params,
        query=dict(request.query_params),
        accept=request.headers.get("accept", ""),
        body=parse(b""),
        viewer=viewer,
        home=home,
        level=allowed,
    )


def _plain(told: Plain) -> Response:
    policy = "default-src 'none'; sandbox"
    return Response(told.content, headers={**HEADERS, "Content-Security-Policy": policy, "Content-Type": told.kind})

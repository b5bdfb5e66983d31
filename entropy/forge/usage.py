"""What was asked of the forge, by whom and in which budget: for operators and benches, as JSON."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entropy.forge.limits import Limits

PATH = "/_usage"
"""Where the counters are read (GET) and begin anew (DELETE)."""


class Usage:
    """An endpoint that is not GitHub's."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    async def answer(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._limits.reset()
            return Response(status_code=204)
        return JSONResponse({"enforced": self._limits.enforced, "identities": list(self._limits.usage())})

"""What the forge says no with, in the shapes that GitHub uses."""

from collections.abc import Mapping, Sequence
from typing import Any

DOCUMENTATION = "https://docs.github.com/rest"


class Refusal(Exception):
    """A request that is answered with an error status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Mapping[str, str] | str] = (),
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> None:
        """`more` stands in the answer besides the message."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = more

    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = {"message": self.message}
        if self.errors:
            payload["errors"] = self.errors
        return payload | {"documentation_url": DOCUMENTATION, "status": str(self.status)} | self.more


def not_found() -> Refusal:
    return Refusal(404, "Not Found")


def bad_credentials() -> Refusal:
    return Refusal(401, "Bad credentials")


def login_needed() -> Refusal:
    return Refusal(401, "Requires authentication")


def forbidden(needed: str) -> Refusal:
    return Refusal(403, f"Must have {needed} rights to Repository.")


def invalid(resource: str, field: str, code: str = "invalid") -> Refusal:
    """`code` is one of GitHub's: missing, missing_field, invalid, already_exists, unprocessable."""
    return Refusal(422, "Validation Failed", errors=[{"resource": resource, "field": field, "code": code}])


def refused(resource: str, message: str) -> Refusal:
    return Refusal(422, "Validation Failed", errors=[{"resource": resource, "code": "custom", "message": message}])


def unprocessable(message: str) -> Refusal:
    return Refusal(422, "Unprocessable Entity", errors=[message])

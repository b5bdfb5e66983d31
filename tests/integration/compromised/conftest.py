"""The office in which a compromised agent works."""

from tests.integration.lifecycle.conftest import office

__all__ = ["office"]

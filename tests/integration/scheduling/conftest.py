"""The office of a test."""

from tests.integration.lifecycle.conftest import office

__all__ = ["office"]

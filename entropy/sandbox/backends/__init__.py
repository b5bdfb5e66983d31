"""The ways to make sandboxes."""

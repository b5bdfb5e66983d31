"""The Celery app; nothing below imports it."""

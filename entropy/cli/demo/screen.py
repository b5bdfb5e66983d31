"""What the demo shows while it works: a table that moves on a terminal, one line per step elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from entropy.models import WorkItem

if TYPE_CHECKING:
    from rich.table import Table

    from entropy.state.announcements import Announcement

STATES = {"started": "…", "finished": "✓", "failed": "✗", "retrying": "↻"}


class Screen:
    """Speaks to the person who watches."""

    def __init__(self) -> None:
        from rich.console import Console

        self.console = Console(highlight=False)
        self._began = time.monotonic()
        self._latest: dict[WorkItem, tuple[Announcement, float]] = {}

    def say(self, sentence: str) -> None:
        self.console.print(f"[dim]{time.monotonic() - self._began:5.1f} s[/]  {sentence}", markup=True, soft_wrap=True)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Inside, the table moves, where there is a terminal to move it on."""
        from rich.live import Live

        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, get_renderable=self._table, refresh_per_second=8, transient=True):
            yield

    def show(self, announcement: "Announcement") -> None:
        """A step of a run."""
        from rich.markup import escape

        self._latest[WorkItem.parse(announcement.item)] = announcement, time.monotonic()
        if announcement.state == "started":
            return
        words = f"{announcement.item}  {announcement.role}  {announcement.stage}"
        note = escape(announcement.note.partition("\n")[0])
        self.say(f"{STATES[announcement.state]} [bold]{words}[/]  {note}")

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table("item", "role", "stage", "", "", box=None, header_style="dim", padding=(0, 3, 0, 0))
        for item in sorted(self._latest, key=str):
            latest, since = self._latest[item]
            seconds = f"{time.monotonic() - since:.0f} s" if latest.state == "started" else ""
            table.add_row(str(item), latest.role, latest.stage, STATES[latest.state], seconds)
        return table

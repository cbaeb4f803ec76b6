"""Counters as the disk has them, so that what is shown of them never falls by a crash.

A call is booked before it is written. Who has read a counter that a crash takes back takes the fall for a reset, and
adds all that it ever counted once more. So counters are shown once all that is in them is on the disk, and until then
as they were shown last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_carbon.collector.storage.file_storage import FileStorage

MAX_FORMS = 16
"""Pages that are kept; scrapers ask for two or three forms."""
Family = TypeVar("Family")


def written_pages(
    storage: FileStorage, render: Callable[[str], tuple[bytes, str]]
) -> Callable[[str], tuple[bytes, str]]:
    """Pages of counters, which `render` writes in the form that an `Accept` header asks for."""
    shown: dict[str, bytes] = {}

    def render_written(accept_header: str, /) -> tuple[bytes, str]:
        page, content_type = render(accept_header)
        if storage.is_written() and (content_type in shown or len(shown) < MAX_FORMS):
            shown[content_type] = page
            return page, content_type
        return shown.get(content_type, page), content_type

    return render_written


def written_families(storage: FileStorage, read: Callable[[], Iterable[Family]]) -> Callable[[], Iterable[Family]]:
    """Families of counters, for who pushes them."""
    shown: list[Family] = []

    def read_written() -> list[Family]:
        families = list(read())
        if storage.is_written() or not shown:
            shown[:] = families
        return list(shown)

    return read_written

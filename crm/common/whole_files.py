"""Files that are sent whole or not at all.

An answer that has begun can only stop short, and a short file looks like a whole one: the file is
written first, and the answer begins once it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import IO

from django.http import FileResponse

#: Bytes of a file that are kept in memory; the rest of a larger one waits on the disk.
_IN_MEMORY = 1_000_000


def whole_file(
    filename: str, content_type: str, write: Callable[[IO[bytes]], object]
) -> FileResponse:
    """Answer with what ``write`` writes; what it raises fails the request."""
    with ExitStack() as until_sent:
        file = until_sent.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        write(file)
        file.seek(0)
        until_sent.pop_all()
    return FileResponse(file, as_attachment=True, filename=filename, content_type=content_type)

"""Reading ZIP archives that strangers packed."""

from __future__ import annotations

import zipfile
import zlib

#: What zipfile raises on reading an archive that nobody can read here: it is damaged or cut off, or
#: it asks for a password or for a way of packing that Python does not know (RuntimeError both).
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)

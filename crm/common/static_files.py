"""Static files as they are served: under the hash of what is in them."""

from __future__ import annotations

from functools import cache

from whitenoise.storage import CompressedManifestStaticFilesStorage

_IMPORT = r"""(?P<matched>from "(?P<url>\./[^"]+)")"""


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped library
    """Files under hashed names, by which our scripts import each other too.

    Django could rewrite the imports of all scripts; some that libraries bring name no file.
    """

    @cache  # noqa: B019 -- there is one storage a process
    def url(self, name: str, force: bool = False) -> str:
        """Return the address of a file; the names are fixed once they are collected."""
        address: str = super().url(name, force)
        return address

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((_IMPORT, 'from "%(url)s"'),)),
    )

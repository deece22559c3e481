"""Copies the front-end files we serve out of their packages, for ``./baton``.

``python -m crm.embedded.assets NODE_MODULES TARGET`` does it all. Standard library only.
"""

import hashlib
import json
import re
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path

# Package -> the only files of it that are served.
FILES = {
    "@tabler/core": ("dist/css/tabler.min.css", "dist/js/tabler.min.js"),
    "echarts": ("dist/echarts.simple.min.js",),  # lines and bars: less than half of the whole
    "tom-select": ("dist/js/tom-select.complete.min.js", "dist/css/tom-select.bootstrap5.min.css"),
}
#: The build of a library does not show in its address.
SERVED_AS = {"echarts.simple.min.js": "echarts.min.js"}
HTMX = "htmx.min.js"

# The maps are not served, and the manifest storage refuses a file that names one.
SOURCE_MAP = re.compile(
    rb"^[ \t]*(?://|/\*)[#@][ \t]*sourceMappingURL=[^\r\n]*\r?\n?", re.MULTILINE
)
HTMX_VERSION = re.compile(rb'version:"([0-9.]+)"')


@dataclass(frozen=True)
class Notice:
    """Where one served file comes from."""

    file: str
    package: str
    version: str
    licence: str
    sha256: str


def copy_assets(node_modules: Path, target: Path) -> list[Notice]:
    """Fill ``target`` with the served files, and with ``notices.json`` that says whose they are."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    notices = [_copy_htmx(target)]
    for package, files in FILES.items():
        folder = node_modules / package
        manifest = json.loads((folder / "package.json").read_text())
        notices += [
            _copy(
                folder / file,
                target / SERVED_AS.get(Path(file).name, Path(file).name),
                package=package,
                version=manifest["version"],
                licence=manifest["license"],
            )
            for file in files
        ]
    rows = [asdict(notice) for notice in notices]
    (target / "notices.json").write_text(json.dumps(rows, indent=2) + "\n")
    return notices


def without_source_map(content: bytes) -> bytes:
    """Return ``content`` without the comments that name a source map."""
    return SOURCE_MAP.sub(b"", content)


def _copy_htmx(target: Path) -> Notice:
    """Take htmx from the django-htmx wheel, which carries it and is locked with the rest."""
    spec = find_spec("django_htmx")
    if spec is None or spec.origin is None:
        sys.exit("django-htmx is not installed")
    source = Path(spec.origin).parent / "static" / "django_htmx" / "htmx-2.min.js"
    found = HTMX_VERSION.search(source.read_bytes())
    return _copy(
        source,
        target / HTMX,
        package=f"htmx, out of django-htmx {installed_version('django-htmx')}",
        version=found.group(1).decode() if found else "2",
        licence="0BSD",
    )


def _copy(source: Path, target: Path, *, package: str, version: str, licence: str) -> Notice:
    content = without_source_map(source.read_bytes())
    target.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Notice(
        file=target.name, package=package, version=version, licence=licence, sha256=sha256
    )


if __name__ == "__main__":
    copy_assets(Path(sys.argv[1]), Path(sys.argv[2]))

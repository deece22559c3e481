import hashlib
import json
from pathlib import Path

import pytest

from crm.embedded.assets import FILES, copy_assets, without_source_map


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a()\n//# sourceMappingURL=a.js.map", b"a()\n"),
        (b"a{}\n/*# sourceMappingURL=a.css.map */\n", b"a{}\n"),
        (b"a()\n//@ sourceMappingURL=a.js.map\nb()\n", b"a()\nb()\n"),
        (b'x="//# sourceMappingURL=no"', b'x="//# sourceMappingURL=no"'),
    ],
)
def test_the_comment_that_names_a_source_map_goes(content: bytes, expected: bytes) -> None:
    assert without_source_map(content) == expected


def test_only_the_listed_files_are_copied_and_each_is_accounted_for(tmp_path: Path) -> None:
    packages = tmp_path / "node_modules"
    for package, files in FILES.items():
        for file in files:
            source = packages / package / file
            source.parent.mkdir(parents=True, exist_ok=True)
            source.write_text(f"{package}\n//# sourceMappingURL={source.name}.map\n")
            source.with_name("unwanted.js").write_text("")
        manifest = {"version": "1.2.3", "license": "MIT"}
        (packages / package / "package.json").write_text(json.dumps(manifest))
    target = tmp_path / "vendor"
    target.mkdir()
    (target / "of-an-older-version.js").write_text("")

    notices = copy_assets(packages, target)

    served = {path.name: path.read_bytes() for path in target.iterdir()}
    recorded = json.loads(served.pop("notices.json"))
    assert set(served) == {
        "htmx.min.js",
        "tabler.min.css",
        "tabler.min.js",
        "echarts.min.js",
        "tom-select.complete.min.js",
        "tom-select.bootstrap5.min.css",
    }
    assert not any(b"sourceMappingURL" in content for content in served.values())
    assert {row["file"]: row["sha256"] for row in recorded} == {
        name: hashlib.sha256(content).hexdigest() for name, content in served.items()
    }
    assert {(notice.package, notice.version, notice.licence) for notice in notices[1:]} == {
        (package, "1.2.3", "MIT") for package in FILES
    }
    assert (notices[0].file, notices[0].licence) == ("htmx.min.js", "0BSD")
    assert notices[0].version.startswith("2.")

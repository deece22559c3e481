"""The ``baton`` script in a checkout of its own, whose uv and npm only note their calls."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crm.embedded.location import ROOT

# Makes an environment that borrows our packages; "installs" by noting what it was asked for.
UV = f"""#!/bin/sh
echo "uv $*" >> "$CALLS"
if [ "$1" = venv ]; then
    for folder; do :; done
    mkdir -p "$folder/bin"
    cp "{sys.prefix}/pyvenv.cfg" "$folder"
    ln -s "$(readlink -f "{sys.executable}")" "$folder/bin/python"
    ln -s "{sys.prefix}/lib" "$folder/lib"
fi
"""
NPM = """#!/bin/sh
echo "npm $*" >> "$CALLS"
for file in @tabler/core/dist/css/tabler.min.css @tabler/core/dist/js/tabler.min.js \\
    echarts/dist/echarts.simple.min.js tom-select/dist/js/tom-select.complete.min.js \\
    tom-select/dist/css/tom-select.bootstrap5.min.css; do
    mkdir -p "node_modules/$(dirname $file)"
    touch "node_modules/$file"
done
for package in @tabler/core echarts tom-select; do
    echo '{"version": "1", "license": "MIT"}' > "node_modules/$package/package.json"
done
"""
COPIED = (
    *("baton", "package.json", "package-lock.json", ".npmrc", "requirements"),
    *("crm/__init__.py", "crm/embedded", "tests/clients"),
)


class Checkout:
    """A checkout whose set-up calls nothing but our two scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.calls = folder / "calls"
        tools = folder / "tools"
        tools.mkdir()
        for name, script in (("uv", UV), ("npm", NPM)):
            (tools / name).write_text(script)
            (tools / name).chmod(0o755)
        for package in ("crm", "tests"):
            (self.folder / package).mkdir(parents=True)
        for name in COPIED:
            subprocess.run(["cp", "-r", ROOT / name, self.folder / name], check=True)
        path = f"{tools}:/usr/bin:/bin"
        self.environment = {**os.environ, "PATH": path, "CALLS": str(self.calls)}

    def set_up(self, packages: str) -> list[str]:
        """Run ``./baton setup`` and return the tools it called, each with what matters."""
        self.calls.write_text("")
        command = [sys.executable, "baton", "setup", packages]
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True)
        return [_gist(line) for line in self.calls.read_text().splitlines()]

    def change(self, name: str) -> None:
        """Change a file without changing what it means."""
        with (self.folder / name).open("a") as file:
            file.write("\n")


def _gist(call: str) -> str:
    tool, verb, *others = call.split()
    return " ".join([tool, verb, *(Path(word).stem for word in others if word.endswith(".txt"))])


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a checkout that has been set up to run."""
    return Checkout(tmp_path)


def test_the_first_set_up_makes_everything_and_the_second_one_nothing(checkout: Checkout) -> None:
    assert checkout.set_up("runtime") == ["uv venv", "uv pip runtime", "npm ci"]
    assert checkout.set_up("runtime") == []
    assert (checkout.folder / "static" / "vendor" / "notices.json").exists()
    assert not (checkout.folder / ".venv-assets").exists()


def test_a_changed_list_is_installed_again_and_only_that(checkout: Checkout) -> None:
    checkout.set_up("runtime")

    checkout.change("requirements/runtime.txt")
    assert checkout.set_up("runtime") == ["uv pip runtime"]

    checkout.change("package-lock.json")
    assert checkout.set_up("runtime") == ["npm ci"]


def test_tracking_clients_are_fetched_for_tests_alone(checkout: Checkout) -> None:
    checkout.set_up("runtime")
    clients = checkout.folder / ".venv-clients"
    assert not clients.exists()

    assert checkout.set_up("test") == ["uv pip test", "npm ci"]
    assert (clients / "node_modules").exists()
    assert checkout.set_up("test") == []

    checkout.change("tests/clients/package-lock.json")
    assert checkout.set_up("test") == ["npm ci"]


def test_an_environment_with_more_than_needed_is_left_alone_and_never_shrinks(
    checkout: Checkout,
) -> None:
    checkout.set_up("runtime")

    assert checkout.set_up("test") == ["uv pip test", "npm ci"]
    assert checkout.set_up("runtime") == []

    checkout.change("requirements/runtime.txt")
    assert checkout.set_up("runtime") == ["uv pip test"]


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.set_up("runtime")
    python = checkout.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nonexistent/python")

    assert checkout.set_up("runtime") == ["uv venv", "uv pip runtime"]


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    uv = checkout.folder.parent / "tools" / "uv"
    uv.write_text(UV + '\n[ "$1" = venv ] || exit 1\n')
    checkout.environment["PIP_TIMEOUT"] = "never"  # so that pip, which comes next, fails too
    with pytest.raises(subprocess.CalledProcessError):
        checkout.set_up("runtime")

    uv.write_text(UV)
    assert checkout.set_up("runtime") == ["uv pip runtime", "npm ci"]


def test_an_unknown_command_answers_with_the_usage(checkout: Checkout) -> None:
    command = [sys.executable, "baton", "sing"]
    done = subprocess.run(command, cwd=checkout.folder, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "./baton up" in done.stderr


def test_bytecode_that_may_not_stand_beside_its_source_is_kept_in_the_environment(
    checkout: Checkout,
) -> None:
    for former in (checkout.folder / "crm").rglob("__pycache__"):  # copied from ours
        shutil.rmtree(former)
    environment = {**checkout.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTHONPYCACHEPREFIX", None)
    command = [sys.executable, "baton", "up", "--help"]

    subprocess.run(command, cwd=checkout.folder, env=environment, check=True, capture_output=True)

    kept = checkout.folder / ".venv" / "bytecode"
    assert list(kept.rglob("crm/embedded/up.*.pyc"))
    assert not list((checkout.folder / "crm").rglob("*.pyc"))


def test_uv_knows_the_certificates_that_pip_knows(checkout: Checkout) -> None:
    uv = checkout.folder.parent / "tools" / "uv"
    uv.write_text(
        UV + '\necho "trusts ${SSL_CERT_FILE:-its own} ${UV_NATIVE_TLS:-0}" >> "$CALLS"\n'
    )
    checkout.environment.pop("SSL_CERT_FILE", None)
    checkout.environment.pop("PIP_CERT", None)
    checkout.set_up("runtime")
    assert "trusts its own 1" in checkout.calls.read_text()

    checkout.environment["PIP_CERT"] = "/etc/company.pem"
    checkout.set_up("test")
    assert "trusts /etc/company.pem 0" in checkout.calls.read_text()

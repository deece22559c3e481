"""How the processes that run the tests side by side share the files."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling

#: Files whose tests are dealt out one by one: a process with all of one would be the last by far.
_SHARED = ("tests/e2e/test_every_address.py",)


class FileByFile(LoadFileScheduling):  # type: ignore[misc]  # the package has no types
    """Gives a process the next file when it is done with one; no test kills two processes."""

    def _split_scope(self, nodeid: str) -> str:
        """Return what goes to one process: a file, of some a single test."""
        file: str = super()._split_scope(nodeid)
        return nodeid if file in _SHARED else file

    def remove_node(self, node: Any) -> str | None:
        """Let the others have the files of a process that died, without the test it died of."""
        crashed: str | None = None
        for tests in self.assigned_work[node].values():
            for test, is_done in tests.items():
                if not is_done and crashed is None:
                    tests[test], crashed = True, test
        super().remove_node(node)
        return crashed

"""How the processes that run the tests side by side share the files."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling


class FileByFile(LoadFileScheduling):  # type: ignore[misc]  # the package has no types
    """Gives a process the next file when it is done with one; no test kills two processes."""

    def remove_node(self, node: Any) -> str | None:
        """Let the others have the files of a process that died, without the test it died of."""
        crashed: str | None = None
        for tests in self.assigned_work[node].values():
            for test, is_done in tests.items():
                if not is_done and crashed is None:
                    tests[test], crashed = True, test
        super().remove_node(node)
        return crashed

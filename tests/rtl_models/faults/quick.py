"""A library that is used once: its C++ is compiled as one file, without optimization.

That takes a quarter of the time of the one that is kept, and the checks run for a second or two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from codesign.rtl import build


class _Quick(build._Builder):
    """Builds as the other, with one compilation."""

    def key(self, *parts: bytes) -> str:
        return super().key(b"quick", *parts)

    def _verilate(
        self, work: Path, sources: Sequence[Path], values: dict[str, int]
    ) -> dict[str, list[str]]:
        listed = super()._verilate(work, sources, values)
        kinds = [f"{kind}_{speed}" for kind in ("classes", "support") for speed in ("fast", "slow")]
        parts = [str(build._HARNESS), *(path for kind in kinds for path in listed[kind])]
        whole = work / "whole.cpp"
        whole.write_text("".join(f'#include "{path}"\n' for path in parts), encoding="utf-8")
        return defaultdict(list, {"classes_fast": [str(whole)], "global": list(listed["global"])})

    def _compile(self, work: Path, sources: Sequence[str], level: str) -> list[Path]:
        whole = [source for source in sources if source != str(build._HARNESS)]
        return super()._compile(work, whole, "-O0" if len(whole) < len(sources) else level)


@contextmanager
def quick_libraries() -> Iterator[None]:
    """Within it, libraries are built so."""
    with patch.object(build, "_Builder", _Quick):
        yield

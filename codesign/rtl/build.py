"""The Verilated library of the accelerator: built once for each content, kept in a cache.

Verilator writes C++, which is compiled together with harness.cpp; neither make nor Perl takes
part. A build goes on in a folder of its own that is renamed when it is whole, so that processes
which start at the same time do not disturb each other.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from codesign.errors import CodesignError
from codesign.hw import Hardware
from codesign.rtl.parameters import parameters
from codesign.rtl.sources import TOP, files
from codesign.rtl.tools import Compiler, Verilator, compiler, output, verilator

#: Libraries that are kept; those that were not used for longest go first.
KEPT = 48
_DAY = 24 * 60 * 60
_LIBRARY = "accelerator.so"
_HERE = Path(__file__).resolve().parent
_HARNESS = _HERE / "harness.cpp"
_FST = _HERE / "fst"
#: Unset bits are random: nothing may depend on what a register or memory holds at the start.
#: Lint has a test of its own; it is not the user's business.
_VERILATE = (
    *("--cc", "--make", "json", "--prefix", "Vaccelerator", "--no-timing", "-O3"),
    *("--x-assign", "unique", "--x-initial", "unique", "-Wno-lint", "-Wno-style"),
)
_COMPILE = (
    *("-std=c++17", "-fPIC", "-pthread", "-w", "-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0"),
    *("-DVM_TIMING=0", "-DVM_TRACE_VCD=0", "-DVM_TRACE_SAIF=0"),
)


def cache_folder() -> Path:
    """Where libraries are kept: CODESIGN_CACHE, else a folder `codesign` in the user's cache.

    Where that cannot be written, a temporary folder that this process removes at its end.
    """
    chosen = os.environ.get("CODESIGN_CACHE")
    user = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(chosen) if chosen else Path(user) / "codesign"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        if chosen:
            reason = (error.strerror or str(error)).lower()
            raise CodesignError(
                f"CODESIGN_CACHE is {chosen}, which cannot be written ({reason}); set it to a "
                "folder with room, or unset it"
            ) from None
        return _temporary()
    return folder


def library(hardware: Hardware, *, waves: bool = False, models: Path | None = None) -> Path:
    """The shared library of the machine `hardware`, built if it is not in the cache.

    With `waves` it can write FST waveforms and is slower. `models` is a folder of Verilog in place
    of the package's. Raises CodesignError where a tool is missing or a build ends badly.
    """
    found = verilator()
    builder = _Builder(found, compiler(), waves)
    sources = files(models)
    chosen = parameters(hardware)
    texts = [path.name.encode() + b"\0" + path.read_bytes() for path in sources]
    key = builder.key(_HARNESS.read_bytes(), json.dumps(chosen).encode(), *texts)
    folder = _made(f"{TOP}-{key}", lambda place: builder.build(place, sources, chosen))
    return folder / _LIBRARY


class _Builder:
    """One way to compile: tools, flags, with or without waveforms."""

    def __init__(self, tool: Verilator, cxx: Compiler, waves: bool) -> None:
        self.tool = tool
        self.cxx = cxx
        self.waves = waves
        self.level = "-O1" if waves else "-O2"  # a waveform is short, its code long
        self.flags = [*_COMPILE, f"-DVM_TRACE={int(waves)}", f"-DVM_TRACE_FST={int(waves)}"]
        self.include = [f"-I{_FST}", f"-I{tool.root / 'include'}"]
        self.include.append(f"-I{tool.root / 'include' / 'vltstd'}")

    def key(self, *parts: bytes) -> str:
        """Digest of the tools, the flags and `parts`."""
        tools = [self.tool.version, self.cxx.version, *self.cxx.command, *_VERILATE]
        tools += [*self.flags, self.level]
        headers = [path.read_bytes() for path in sorted(_FST.glob("*.h"))]
        whole = hashlib.sha256()
        for part in (*(word.encode() for word in tools), *headers, *parts):
            whole.update(len(part).to_bytes(8, "little") + part)
        return whole.hexdigest()[:32]

    def build(self, place: Path, sources: Sequence[Path], values: dict[str, int]) -> None:
        """Write the library into the folder `place`."""
        with tempfile.TemporaryDirectory(prefix="codesign-") as name:
            work = Path(name)
            listed = self._verilate(work, sources, values)
            fast, slow = (
                [source for kind in ("classes", "support") for source in listed[f"{kind}_{speed}"]]
                for speed in ("fast", "slow")
            )
            fast.append(str(_HARNESS))
            objects = self._compile(work, fast, self.level) + self._compile(work, slow, "-O0")
            whole = place / _LIBRARY
            runtime = self._runtime([Path(path) for path in listed["global"]])
            link = ["-shared", "-pthread", "-o", str(whole)]
            output([*self.cxx.command, *map(str, [*objects, *runtime]), *link])

    def _verilate(
        self, work: Path, sources: Sequence[Path], values: dict[str, int]
    ) -> dict[str, list[str]]:
        """Let Verilator write C++ into `work`; the files to compile, by kind."""
        command = [str(self.tool.program), *_VERILATE, "--Mdir", str(work), "--top-module", TOP]
        command += [f"-G{name}={value}" for name, value in values.items()]
        command += [f"-I{sources[0].parent}", *(["--trace-fst"] if self.waves else [])]
        command += [str(path) for path in sources if path.suffix == ".v"]
        output(command, self.tool.environment())
        listed = json.loads((work / "Vaccelerator.json").read_text(encoding="utf-8"))
        return defaultdict(list, listed["sources"])  # a kind without files is left out

    def _runtime(self, sources: Sequence[Path]) -> list[Path]:
        """Objects of Verilator's own library, the same for every machine."""
        key = self.key(*(str(path).encode() for path in sources))

        def build(place: Path) -> None:
            self._compile(place, [str(path) for path in sources], self.level)

        return sorted(_made(f"runtime-{key}", build).glob("*.o"))

    def _compile(self, work: Path, sources: Sequence[str], level: str) -> list[Path]:
        """Compile each source into an object in `work`, as many at a time as there are cores."""

        def one(source: str) -> Path:
            target = work / f"{Path(source).stem}.o"
            command = [*self.cxx.command, level, *self.flags, f"-I{work}", *self.include]
            output([*command, "-c", source, "-o", str(target)])
            return target

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(one, sources))


def _made(name: str, build: Callable[[Path], None]) -> Path:
    """The folder `name` of the cache; if it is not there, `build` fills it in another's stead."""
    cache = cache_folder()
    folder = cache / name
    if folder.is_dir():
        with contextlib.suppress(OSError):
            os.utime(folder)  # used now
        return folder
    place = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    try:
        build(place)
        place.chmod(0o755)
        try:
            place.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, with the same content
                raise
    finally:
        shutil.rmtree(place, ignore_errors=True)
    _forget(cache)
    return folder


def _forget(cache: Path) -> None:
    """Remove the libraries beyond `KEPT` (one that is loaded stays loaded) and killed builds."""
    with contextlib.suppress(OSError):
        known = sorted(cache.glob(f"{TOP}-*"), key=lambda path: path.stat().st_mtime)
        killed = [path for path in cache.glob(".*-*") if time.time() - path.stat().st_mtime > _DAY]
        for folder in [*known[:-KEPT], *killed]:
            shutil.rmtree(folder, ignore_errors=True)


def _temporary() -> Path:
    global _FOLDER
    if _FOLDER is None:
        _FOLDER = Path(tempfile.mkdtemp(prefix="codesign-"))
        atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
    return _FOLDER


_FOLDER: Path | None = None

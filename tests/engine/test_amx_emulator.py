"""The AMX emulator does what the architecture says: products, addresses, threads, refusals.

Where the machine has AMX the same programs run on it, which tests what is expected here.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from codesign.ir import IntArray
from tests.engine import amx

if reason := amx.missing():
    pytest.skip(reason, allow_module_level=True)

#: Whether codes and weights have a sign, by instruction.
SIGNS = {"tdpbuud": (0, 0), "tdpbusd": (0, 1), "tdpbsud": (1, 0), "tdpbssd": (1, 1)}


@pytest.fixture(autouse=True)
def running() -> Iterator[None]:
    with amx.instructions():
        yield


@lru_cache(maxsize=1)
def programs_file() -> Path:
    return amx.build(Path(__file__).with_name("amx_programs.c"), "-mno-red-zone")


def call(name: str, *arguments: IntArray | int) -> None:
    """Runs a program; an array is the address of its first element."""
    function = getattr(ctypes.CDLL(str(programs_file())), name)
    function.restype = None
    function(*[ctypes.c_void_p(a if isinstance(a, int) else a.ctypes.data) for a in arguments])


def configuration(*tiles: tuple[int, int]) -> IntArray:
    """The 64 bytes for tiles of (rows, bytes of a row)."""
    given = np.zeros(64, np.uint8)
    given[0] = 1
    for number, (rows, colsb) in enumerate(tiles):
        given[16 + 2 * number], given[48 + number] = colsb, rows
    return given


def bytes_of(shape: tuple[int, int], signed: int, seed: int) -> IntArray:
    """Random bytes; one in two is an extreme."""
    kind = np.int8 if signed else np.uint8
    limits, random = np.iinfo(kind), np.random.default_rng(seed)
    values = random.integers(limits.min, limits.max + 1, shape)
    extremes = random.choice([limits.min, limits.max], shape)
    return np.where(random.random(shape) < 0.5, extremes, values).astype(kind)


def products(a: IntArray, b: IntArray, c: IntArray) -> IntArray:
    """c + a @ b where b (K/4, 4n) has four rows of the matrix in each; modulo 2^32."""
    matrix = b.reshape(len(b), -1, 4).swapaxes(1, 2).reshape(4 * len(b), -1)
    return (c + a.astype(np.int64) @ matrix.astype(np.int64)).astype(np.uint32).view(np.int32)


@pytest.mark.parametrize("name", SIGNS)
@pytest.mark.parametrize("shape", [(16, 64, 16), (1, 4, 1), (7, 20, 3), (16, 4, 16), (2, 64, 9)])
def test_products_of_tiles_of_any_size(name: str, shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    a, b = bytes_of((m, k), SIGNS[name][0], 1), bytes_of((k // 4, 4 * n), SIGNS[name][1], 2)
    c = np.random.default_rng(3).integers(-(1 << 31), 1 << 31, (17, 20)).astype(np.int32)
    before = c.copy()
    config = configuration((m, 4 * n), (m, k), (k // 4, 4 * n))
    call(name, config, a, a.strides[0], b, b.strides[0], c, c.strides[0])
    assert np.array_equal(c[:m, :n], products(a, b, before[:m, :n]))
    before[:m, :n] = c[:m, :n]
    assert np.array_equal(c, before)  # nothing else is written


@pytest.mark.parametrize(
    ("name", "code", "weight", "total"),
    [
        ("tdpbusd", 255, -128, 64 * 255 * -128),
        ("tdpbusd", 255, 127, 64 * 255 * 127),
        ("tdpbssd", -128, -128, 64 * 16384),
        ("tdpbsud", -128, 255, 64 * -128 * 255),
        ("tdpbuud", 255, 255, 64 * 65025),
    ],
)
def test_sums_neither_saturate_nor_round(name: str, code: int, weight: int, total: int) -> None:
    a, b = np.full((16, 64), code & 255, np.uint8), np.full((16, 64), weight & 255, np.uint8)
    c = np.zeros((16, 16), np.int32)
    call(name, configuration(*[(16, 64)] * 3), a, 64, b, 64, c, 64)
    assert (c == total).all()


@pytest.mark.parametrize(
    ("name", "scale", "displacement"),
    [
        ("plain", 1, 0), ("scaled", 4, 0), ("near_", 2, -64), ("far_", 1, 1024), ("high", 8, 0),
        ("base_r13", 1, 0), ("base_r12", 1, 64), ("base_rbp", 1, 128), ("no_index", 0, 0),
        ("pitch_is_r12", 1, 0),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pitch", [68, -40])
def test_every_form_of_address(name: str, scale: int, displacement: int, pitch: int) -> None:
    memory = np.random.default_rng(0).integers(0, 256, 40_000).astype(np.uint8)
    found, base = np.zeros((5, 12), np.uint8), 20_000
    config = configuration(*[(0, 0)] * 7, (5, 12))
    call(name, config, memory.ctypes.data + base, pitch, found, 12)
    for row in range(5):
        start = base + displacement + row * scale * pitch
        assert np.array_equal(found[row], memory[start : start + 12])


def test_a_configuration_is_stored_and_released() -> None:
    config = configuration((16, 64), (3, 4), (16, 12))
    loaded, released = np.full((2, 64), 9, np.uint8)
    call("store_config", config, loaded, released)
    assert np.array_equal(loaded, config) and not released.any()


def test_a_tile_of_zeros() -> None:
    tile = np.arange(16 * 64, dtype=np.uint8).reshape(16, 64)
    call("zero", configuration(*[(0, 0)] * 3, (5, 8)), tile, 64)
    assert not tile[:5, :8].any()
    tile[:5, :8] = np.arange(16 * 64, dtype=np.uint8).reshape(16, 64)[:5, :8]
    assert np.array_equal(tile.reshape(-1), np.arange(16 * 64, dtype=np.uint8))


def test_threads_have_tiles_of_their_own() -> None:
    def work(m: int) -> None:
        a, b = bytes_of((m, 64), 0, m), bytes_of((16, 64), 1, m + 1)
        for _ in range(300):
            c = np.zeros((m, 16), np.int32)
            call("tdpbusd", configuration((m, 64), (m, 64), (16, 64)), a, 64, b, 64, c, 64)
            assert np.array_equal(c, products(a, b, 0 * c))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [3, 16, 9, 1]))


def refused(*lines: str) -> subprocess.CompletedProcess[str]:
    """A process of its own that runs the emulator and `lines` with `call` and `config`."""
    if amx.NATIVE:
        pytest.skip("nothing is emulated on a machine that has AMX")
    start = [
        "import ctypes, faulthandler",
        "faulthandler.enable()" if lines[0] == "undefined" else "",
        f"emulator = ctypes.CDLL({amx.emulator()._name!r})",
        f"programs = ctypes.CDLL({str(programs_file())!r})",
        "assert emulator.amx_install() == 0",
        "memory = (ctypes.c_uint8 * 4096)()",
        *(["programs.undefined()"] if lines[0] == "undefined" else lines),
    ]
    command = [sys.executable, "-I", "-S", "-c", "\n".join(start)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


MULTIPLY = "programs.tdpbusd(config, memory, 64, memory, 64, memory, 64)"
GOOD = [(16, 64)] * 3


@pytest.mark.parametrize(
    ("config", "run", "message"),
    [
        (configuration(*GOOD, (17, 64)), MULTIPLY, "#GP: more than 16 rows"),
        (configuration(*GOOD, (16, 65)), MULTIPLY, "#GP: more than 64 bytes in a row"),
        (configuration(*GOOD, (16, 0)), MULTIPLY, "#GP: rows without bytes, or bytes without rows"),
        (
            configuration(*GOOD) * (np.arange(64) != 0) + 2 * (np.arange(64) == 0),
            MULTIPLY,
            "#GP: palette is neither 0 nor 1",
        ),
        (
            configuration(*GOOD) + (np.arange(64) == 5),
            MULTIPLY,
            "#GP: reserved bytes of the configuration are not 0",
        ),
        (
            configuration(*GOOD) + (np.arange(64) == 56),
            MULTIPLY,
            "#GP: reserved bytes of the configuration are not 0",
        ),
        (
            configuration(*GOOD) + (np.arange(64) == 1),
            MULTIPLY,
            "start_row is not 0, which is not emulated",
        ),
        (
            configuration((16, 64), (15, 64), (16, 64)),
            MULTIPLY,
            "#UD: rows of codes are not rows of sums",
        ),
        (
            configuration((16, 64), (16, 60), (16, 64)),
            MULTIPLY,
            "#UD: bytes of codes are not rows of weights",
        ),
        (
            configuration((16, 64), (16, 64), (16, 60)),
            MULTIPLY,
            "#UD: columns of weights are not those of sums",
        ),
        (
            configuration((16, 64), (16, 63), (16, 64)),
            MULTIPLY,
            "#UD: bytes of a row are no multiple of 4",
        ),
        (
            configuration((16, 64), (16, 64)),
            MULTIPLY,
            "#UD: the tile has no rows in this configuration",
        ),
        (
            configuration(*GOOD),
            "programs.load_without_config(memory, 64)",
            "#UD: no tile is configured",
        ),
        (
            configuration(*GOOD),
            "programs.tile_twice(config)",
            "#UD: a product names one tile twice",
        ),
    ],
)
def test_what_the_silicon_refuses_ends_the_process(
    config: IntArray, run: str, message: str
) -> None:
    ended = refused(f"config = (ctypes.c_uint8 * 64)(*{config.tolist()})", run)
    assert ended.returncode == -signal.SIGABRT
    assert ended.stderr == f"amx emulator: {message}\n"


def test_another_undefined_instruction_goes_to_the_handler_before() -> None:
    ended = refused("undefined")
    assert ended.returncode == -signal.SIGILL
    assert ended.stderr.startswith("Fatal Python error: Illegal instruction\n")


def test_without_a_handler_before_an_undefined_instruction_ends_the_process() -> None:
    ended = refused("programs.undefined()")
    assert (ended.returncode, ended.stderr) == (-signal.SIGILL, "")

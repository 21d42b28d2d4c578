"""The levels of ARM and the portable level there: the instructions, and whole programs in QEMU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pytest

from codesign.engine._numba import depthwise, features, products
from codesign.engine._numba import engine as compiled_engine
from codesign.engine._numba.features import LEVELS, PORTABLE, Level
from codesign.engine._numba.packed import _ROWS, Packed, base_of
from codesign.ir import Graph, IntType, code_set
from tests.engine import arm, test_skips
from tests.engine.test_packed import BIPOLAR, TWO_BITS, chain, equal

ARM = {level.name: level for level in LEVELS if level.name in ("i8mm", "dotprod", "portable")}
PIXEL, SIGNED = IntType(0, 255), IntType(-128, 127)
#: The instruction of each level's products, and how often the loop has it for one sum of a tile.
INSTRUCTIONS = {"i8mm": ("usdot", 1), "dotprod": ("sdot", 1), "portable": ("smlal", 8)}


def emulated(test: Callable[..., None]) -> Callable[..., None]:
    """Needs programs that the ordinary run does not ask for."""
    reason = f"not installed: {', '.join(arm.MISSING)}"
    return pytest.mark.nightly(pytest.mark.skipif(bool(arm.MISSING), reason=reason)(test))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> arm.Machine:
    return arm.Machine(tmp_path_factory.mktemp("arm"))


@pytest.fixture(params=list(ARM))
def level(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, machine: arm.Machine
) -> str:
    """The engine has this level and the portable one, and its products run in emulation."""
    name = str(request.param)
    levels = tuple(dict.fromkeys((ARM[name], PORTABLE)))
    monkeypatch.setattr(compiled_engine, "levels", lambda: levels)
    monkeypatch.setattr(products.winograd, "suits", lambda *_: False)  # it is more than one tile
    monkeypatch.setattr(Packed, "task", lambda *arguments: None)
    monkeypatch.setattr(Packed, "run", lambda product, *arguments: machine.run(product, *arguments))
    return name


def assert_equal(graph: Graph, level: str, images: int = 3) -> None:
    """Outputs alone, where everything is taken along, and every value on its own."""
    engine = equal(graph, images)
    assert level in {unit.level for unit in engine.plan(tuple(graph.outputs))}


@pytest.mark.parametrize("name", ARM)
def test_the_loop_is_made_of_the_instruction(name: str) -> None:
    level = ARM[name]
    shapes = [(rows, columns, 1) for columns, rows in _ROWS[level.lanes].items()]
    for rows, columns, taps in (*shapes, (depthwise._ROWS[level.lanes], 4, 4)):
        assembly, code = arm.compiled((1, level.code, rows, columns, taps, 1, ()))
        assert code.startswith(b"\x7fELF")
        instruction, each = INSTRUCTIONS[name]
        body = [line for line in arm.loop(assembly) if line.removesuffix("2") == instruction]
        assert len(body) == each * rows * columns


@emulated
@pytest.mark.parametrize("outputs", [1, 4, 7, 8, 12, 16, 20, 33])
def test_every_width_of_a_tile(outputs: int, level: str) -> None:
    assert_equal(chain(outputs=outputs), level)


@emulated
@pytest.mark.parametrize("end", ["clip", "sign", "threshold", "folded", ""])
@pytest.mark.parametrize("codes", [TWO_BITS, BIPOLAR], ids=str)
def test_what_a_product_takes_along(end: str, codes: IntType, level: str) -> None:
    assert_equal(chain(end=end, codes=codes, outputs=24), level)


@emulated
@pytest.mark.parametrize("codes", [PIXEL, SIGNED, IntType(0, 127), IntType(-100, 100)], ids=str)
@pytest.mark.parametrize("weights", [code_set(5), IntType(-128, 127)], ids=str)
def test_codes_and_weights_at_their_extremes(codes: IntType, weights: IntType, level: str) -> None:
    assert_equal(chain(codes=codes, weights=weights), level)


@emulated
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("shuffle", [1, 4])
@pytest.mark.parametrize("stride", [1, 2])
def test_groups_shuffles_and_strides(groups: int, shuffle: int, stride: int, level: str) -> None:
    graph = chain(shape=(16, 5, 4), groups=groups, shuffle=shuffle, outputs=8, stride=stride)
    assert_equal(graph, level)


@emulated
@pytest.mark.parametrize("channels", [5, 16, 40])
@pytest.mark.parametrize("end", ["clip", "folded", ""])
def test_depthwise(channels: int, end: str, level: str) -> None:
    codes, weights = (SIGNED, code_set(5)) if end else (TWO_BITS, IntType(-128, 127))
    graph = chain(
        codes=codes, weights=weights, shape=(channels, 5, 4), groups=channels, outputs=channels,
        end=end,
    )  # fmt: skip
    assert_equal(graph, level)


@emulated
@pytest.mark.parametrize(("join", "choice", "end"), test_skips.WAYS)
@pytest.mark.parametrize("times", [1, 2])
def test_residuals(join: str, choice: str, end: str, times: int, level: str) -> None:
    if times == 2 and choice == "fx":
        return  # copies are read again where they are joined
    graph = test_skips.block(
        join=join, choice=choice, end=end, times=times, channels=64 * times, sizes=(3, 3)
    )
    engine = test_skips.equal(graph)
    assert test_skips.fused(engine)
    assert level in {unit.level for unit in engine.plan(tuple(graph.outputs))}


def test_signed_bytes_hold_every_code() -> None:
    for codes in (PIXEL, SIGNED, IntType(0, 127), IntType(0, 128), IntType(-3, 250), TWO_BITS):
        base = base_of(codes, codes.hi, signed=True)
        assert base is not None and codes.lo - base >= -128 and codes.hi - base <= 127
    assert base_of(IntType(0, 256), 0, signed=True) is None
    assert base_of(IntType(0, 255), -1, signed=True) is None
    assert base_of(TWO_BITS, 0, signed=True) == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({16: 1 << 20, 26: 1 << 13}, ["i8mm", "dotprod", "portable"]),
        ({16: 1 << 20, 26: 0}, ["dotprod", "portable"]),
        ({16: ~(1 << 20), 26: ~(1 << 13)}, ["portable"]),
    ],
)
def test_what_the_kernel_of_linux_tells(
    words: dict[int, int], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Library:
        """A C library of which only `getauxval` is asked."""

        getauxval = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_ulong)(
            lambda word: words[word] & (1 << 64) - 1
        )

    def library(name: None) -> Library:
        return Library()

    monkeypatch.setattr(features.sys, "platform", "linux")
    monkeypatch.setattr(features.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(features.ctypes, "CDLL", library)
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_features", lambda: {"neon": True})
    monkeypatch.setattr(features, "_host_features", features._host_features.__wrapped__)
    allowed: Callable[[str], tuple[Level, ...]] = features._allowed.__wrapped__
    assert [level.name for level in allowed("")] == expected

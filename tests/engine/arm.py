"""Products on an emulated ARM: tiles compiled for it, run by QEMU in place of this machine's."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
from llvmlite import binding, ir

from codesign.engine._numba import micro
from codesign.engine._numba.features import ARM_BITS
from codesign.engine._numba.packed import Packed
from codesign.ir import IntArray

#: Programs that are needed; Debian: qemu-user-static, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross.
QEMU, GCC = "qemu-aarch64-static", "aarch64-linux-gnu-gcc"
MISSING = [program for program in (QEMU, GCC) if shutil.which(program) is None]
TRIPLE = "aarch64-unknown-linux-gnu"
_LONG = ir.IntType(64)
#: Mode, level, rows, columns, taps, pool, skip.
Variant = tuple[int, int, int, int, int, int, tuple[int, ...]]


@cache
def compiled(variant: Variant, triple: str = TRIPLE, cpu: str = "generic") -> tuple[str, bytes]:
    """Assembly and object of one tile for a processor.

    On the plainest ARM: what a tile needs beyond it is in its own attributes.
    """
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = ir.Module("tile")
    module.triple = triple
    kind = ir.FunctionType(ir.VoidType(), [_LONG] * 8)
    function = ir.Function(module, kind, "tile")
    builder = ir.IRBuilder(function.append_basic_block())
    micro.emit_tile(builder, *variant, *function.args)
    builder.ret_void()
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features="", opt=3, reloc="pic"
    )
    passes = binding.create_pass_builder(
        machine, binding.create_pipeline_tuning_options(speed_level=3)
    )
    parsed = binding.parse_assembly(str(module))
    passes.getModulePassManager().run(parsed, passes)
    return machine.emit_assembly(parsed), machine.emit_object(parsed)


def loop(assembly: str) -> list[str]:
    """The instructions of the loop over the steps: from its label to the branch back, the first."""
    lines = [line.strip().split("\t") for line in assembly.splitlines()]
    names = [line[0] for line in lines]
    starts = {name.rstrip(":"): number for number, name in enumerate(names) if name.endswith(":")}
    for number, line in enumerate(lines):
        start = starts.get(line[-1], number)
        if line[0].startswith(("b.", "j")) and start < number:
            return [name for name in names[start + 1 : number] if name[:1] not in (".", "/")]
    raise AssertionError("no loop")


class Machine:
    """Runs products in emulation; programs are kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.variants: set[Variant] = set()

    def run(
        self, product: Packed, frame: IntArray, images: int, y: IntArray, places: IntArray,
        step: int, beside: tuple[IntArray, ...] = (),
    ) -> None:  # fmt: skip
        """As `Packed.run`."""
        rows, taps = product.variant[2], product.variant[4]
        program = self._program(product.variant)
        groups, blocks = product.weights.shape[:2]
        skip, none = product.skip, np.zeros(0, np.int64)
        merged = (0, 0) if skip is None else (skip.channels, skip.frames * skip.outputs)
        others = (none,) * 3 if skip is None else (beside[0], beside[-1], skip.selects)
        numbers = (
            rows, product.size, images, product.group_bytes, step, product.width, product.stored,
            y.itemsize, groups, blocks, product.apart, taps, *merged,
        )  # fmt: skip
        arrays = (
            np.array(numbers, np.int64), frame, product.starts, product.offsets, product.weights,
            product.bias, product.numbers, product.levels, places.astype(np.int64), *others, y,
        )  # fmt: skip
        given = b"".join(np.int64(a.nbytes).tobytes() + a.tobytes() for a in arrays)
        done = subprocess.run(
            [QEMU, "-cpu", "max", program], input=given, stdout=subprocess.PIPE, check=True
        )
        y[...] = np.frombuffer(done.stdout, y.dtype)

    def _program(self, variant: Variant) -> Path:
        name = "-".join(map(str, (*variant[:-1], *variant[-1])))
        program, tile = self.folder / name, self.folder / f"{name}.o"
        if variant not in self.variants:
            tile.write_bytes(compiled(variant)[1])
            bits = [
                f"-D{kind}_{name.upper()}={number}"
                for name, pair in ARM_BITS.items()
                for kind, number in zip(("AT", "BIT"), pair, strict=True)
            ]
            source = Path(__file__).with_name("arm_tiles.c")
            subprocess.run(
                [GCC, "-static", "-O1", "-Wall", "-Werror", *bits, source, tile, "-o", program],
                check=True,
            )
            self.variants.add(variant)
        return program

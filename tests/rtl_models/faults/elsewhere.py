"""A pytest plugin: the tests of `rtl_models/` read the Verilog of FAULTY_MODELS instead."""

from __future__ import annotations

import os
from pathlib import Path

from codesign.rtl import sources
from tests.rtl_models import models, tools

_FOLDER = Path(os.environ["FAULTY_MODELS"])

tools.RTL = _FOLDER
sources._FOLDERS = (_FOLDER, _FOLDER)
models.BUILD = tools.ROOT / "build" / "faults" / "cocotb"
models.MODELS = models.BUILD / "models"

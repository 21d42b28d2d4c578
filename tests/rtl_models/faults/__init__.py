"""Seeded faults: small wrong edits of the Verilog, and the checks that have to catch them.

    python -m tests.rtl_models.faults [NAME ...] [--jobs N] [--write]

applies them one at a time to a copy of `rtl_models/` and runs `checks.CHECKS` on it; a fault that
passes them all meets the cocotb tests of its module. Every check is an ordinary test too.
"""

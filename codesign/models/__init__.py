"""The papers' networks, by name."""

from codesign.models.registry import MODELS, ModelEntry, create

__all__ = ["MODELS", "ModelEntry", "create"]

"""Data sets, recipes, the training loop and its checkpoints."""

"""The training loop: quantized weights, running shifts, checkpoints after every epoch."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from codesign.errors import CodesignError
from codesign.files import write_atomic
from codesign.nn import QuantizedWeights
from codesign.train.augment import batches
from codesign.train.checkpoint import NAME, Checkpoint, load_checkpoint
from codesign.train.data import Dataset
from codesign.train.evaluate import as_input
from codesign.train.goal import Goal, classes
from codesign.train.recipe import Recipe


@dataclass(frozen=True)
class Progress:
    """Where a run is, after each step: for a progress bar."""

    epoch: int
    epochs: int
    images: int
    total: int
    loss: float


class InterruptError(CodesignError):
    """The run was stopped by a signal; its last whole epoch is saved."""

    exit_code = 130


class Trainer:
    """One training run of `network` on `data`, in folder `out` (made if missing).

    After every epoch `out` holds `checkpoint.pt` and `metrics.jsonl` (one line an epoch). With
    `resume` the run goes on from the checkpoint, as if it had not stopped. `before_epoch` hears
    the number of each epoch (from 0) and may change how the network computes. Without a `goal` the
    network learns classes.

    Raises CodesignError where the recipe or the model of the checkpoint is another one.
    """

    def __init__(
        self,
        model: str,
        network: nn.Module,
        data: Dataset,
        recipe: Recipe,
        out: Path,
        *,
        goal: Goal | None = None,
        resume: bool = False,
        before_epoch: Callable[[int], None] = lambda epoch: None,
        report: Callable[[Progress], None] = lambda progress: None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.model, self.network, self.data, self.recipe = model, network, data, recipe
        self.out, self.report, self.log = out, report, log
        self.before_epoch = before_epoch
        self.goal = classes(network) if goal is None else goal
        self.quantized = [m for m in network.modules() if isinstance(m, QuantizedWeights)]
        # whatever follows a running scale
        self.norms: list[Any] = [m for m in network.modules() if hasattr(m, "freeze_shift")]
        self.optimizer = self._optimizer()
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self._stop = False
        _make_folder(out)
        if resume:
            self._restore()
        elif (out / NAME).exists():
            raise CodesignError(
                f"{out / NAME}: exists; add --resume to go on, or give another --out"
            )
        self._write_metrics()  # a folder that cannot be written is refused now, not in an hour

    def run(self) -> dict[str, Any]:
        """Train to the last epoch; gives the last line of the metrics.

        Raises InterruptError on SIGINT or SIGTERM, CodesignError where the loss is not finite.
        """
        with self._signals():
            while self.epoch < self.recipe.epochs:
                self._one_epoch()
        return self.history[-1]

    def _one_epoch(self) -> None:
        recipe, started = self.recipe, time.perf_counter()
        self.before_epoch(self.epoch)
        self._freeze()
        self.network.train()
        wide = not recipe.bfloat16 or recipe.in_last(recipe.float_share, self.epoch)
        dtype = torch.float32 if wide else torch.bfloat16
        total = len(self.data.x_train)
        seen, loss_sum = 0, 0.0
        for images, labels in batches(
            self.data.x_train,
            self.data.y_train,
            batch=recipe.batch,
            seed=recipe.seed,
            epoch=self.epoch,
            pad=recipe.pad,
            flip=recipe.flip,
        ):
            if self._stop:
                raise self._interrupted()
            loss = self._step(as_input(images, dtype), labels, self.epoch + seen / total)
            seen += len(images)
            loss_sum += loss * len(images)
            self.report(Progress(self.epoch + 1, recipe.epochs, seen, total, loss_sum / seen))
        self._finish_epoch(loss_sum / seen, time.perf_counter() - started)

    def _step(self, images: Tensor, labels: NDArray[np.int64], progress: float) -> float:
        factor = self.recipe.rate_factor(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base_rate"] * factor
        loss = self.goal.loss(
            self.network(images), images, torch.from_numpy(labels), self.recipe.smoothing
        )
        value = float(loss.detach())
        if not math.isfinite(value):
            raise CodesignError(
                f"training: the loss is {value} in epoch {self.epoch + 1}; "
                "resume with a smaller --weight-rate"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        for module in self.quantized:
            module.clamp_latent()
        return value

    def _finish_epoch(self, loss: float, seconds: float) -> None:
        self.epoch += 1
        last = self.epoch == self.recipe.epochs
        images = len(self.data.x_test) if last else min(self.recipe.probe, len(self.data.x_test))
        tested = self.data.x_test[:images], self.data.y_test[:images]
        found = self.goal.measure(self.network, *tested)
        self.history.append(
            {
                "epoch": self.epoch,
                "loss": round(loss, 6),
                **found,
                "seconds": round(seconds, 3),
            }
        )
        self.save()
        self.log(
            f"epoch {self.epoch}/{self.recipe.epochs}  loss {loss:.4f}  "
            f"test {self.goal.describe(found)}  {seconds:.1f} s"
        )

    def save(self) -> None:
        """Write the checkpoint and the metrics."""
        Checkpoint(
            self.model,
            self.epoch,
            self.recipe.as_dict(),
            self.network.state_dict(),
            self.goal.state_dict(),
            self.optimizer.state_dict(),
            self.history,
        ).save(self.out)
        self._write_metrics()

    def _write_metrics(self) -> None:
        lines = "".join(json.dumps(entry) + "\n" for entry in self.history)
        write_atomic(self.out / "metrics.jsonl", lines)

    def _restore(self) -> None:
        path = self.out / NAME
        saved = load_checkpoint(path)
        if saved.model != self.model:
            raise CodesignError(
                f"{path}: is of model {saved.model!r}, not {self.model!r}; give another --out"
            )
        for name, value in self.recipe.as_dict().items():
            if saved.recipe.get(name) != value:
                raise CodesignError(
                    f"{path}: was trained with {name} {saved.recipe.get(name)}, now {name} is "
                    f"{value}; resume with the same options"
                )
        try:
            self.network.load_state_dict(saved.network)
        except RuntimeError:
            raise CodesignError(
                f"{path}: holds another network than {self.model!r} has now; "
                "resume with the same table"
            ) from None
        self.goal.load_state_dict(saved.goal)
        self.optimizer.load_state_dict(saved.optimizer)
        self.epoch, self.history = saved.epoch, list(saved.history)
        self.log(f"resumed after epoch {self.epoch}/{self.recipe.epochs}")

    def _freeze(self) -> None:
        recipe = self.recipe
        for module in self.quantized:
            module.freeze_step = recipe.in_last(recipe.freeze_step_share, self.epoch)
        for norm in self.norms:
            norm.freeze_shift = recipe.in_last(recipe.freeze_shift_share, self.epoch)

    def _optimizer(self) -> torch.optim.Optimizer:
        latent = [module.weight for module in self.quantized]
        known = {id(parameter) for parameter in latent}
        others = [p for p in self.network.parameters() if id(p) not in known]
        groups = [
            {"params": latent, "base_rate": self.recipe.weight_rate},
            {"params": [*others, *self.goal.parameters()], "base_rate": self.recipe.rate},
        ]
        return torch.optim.AdamW(groups, weight_decay=0.0)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the run between two steps."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._stop = True

        try:
            before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not the main thread: signals are the caller's
            yield
            return
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupted(self) -> InterruptError:
        if self.epoch == 0:
            return InterruptError(
                "training: interrupted in epoch 1, nothing is saved yet; start it again"
            )
        return InterruptError(
            f"training: interrupted in epoch {self.epoch + 1}; {self.out / NAME} holds "
            f"{self.epoch} epochs; add --resume to go on"
        )


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CodesignError(
            f"--out {out}: cannot be made ({reason}); choose a folder that is writable"
        ) from None

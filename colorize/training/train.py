"""Training: one loop that reads top to bottom, resumable, on one device or several."""

import math
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from colorize.color import bins
from colorize.color.lab import lab_from_rgb
from colorize.data.ageing import degrade
from colorize.data.cache import PhotoCache, open_cache
from colorize.data.datasets import Dataset, choose_photos
from colorize.errors import ColorizeError
from colorize.inference.hints.spots import random_hints
from colorize.models.checkpoint import save_checkpoint
from colorize.models.record import Record
from colorize.training.adversary import Adversary
from colorize.training.crops import Crops, epoch_order
from colorize.training.generators import generator_states, restore_generators
from colorize.training.losses import make_loss
from colorize.training.run import Run
from colorize.training.settings import Settings, changes_of
from colorize.training.start import (
    first_record,
    make_accelerator,
    make_network,
    parameter_groups,
    run_config,
)
from colorize.training.validation import Validation

_SAVE_EVERY = 300.0  # seconds between states within an epoch


@dataclass(frozen=True)
class Budget:
    """How long a run is: minutes of wall time (validation included) or epochs, one of them."""

    minutes: float | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.minutes, self.epochs) if value is not None]
        if len(given) != 1 or not 0 < given[0] < math.inf:
            raise ColorizeError("A run lasts a number of minutes or of epochs above 0, one of them")

    def progress(self, seconds: float, steps: int, steps_an_epoch: int) -> float:
        """The share of the run that is behind, 1 or more at its end."""
        if self.minutes is not None:
            return seconds / (self.minutes * 60)
        return steps / (self.epochs * steps_an_epoch)

    def __str__(self) -> str:
        if self.minutes is not None:
            return f"--minutes {self.minutes:g}"
        return f"--epochs {self.epochs}"


def train(
    settings: Settings,
    datasets: list[Dataset],
    output: Path,
    budget: Budget,
    *,
    resume: bool,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Trains a network into the run folder `output`; True when done, False when stopped.

    `stopped` is asked before each step whether somebody wishes an end; while photos are decoded,
    KeyboardInterrupt follows. By epochs, an interrupted and resumed run ends with the same
    weights, bit for bit, as one that ran through; by minutes, the schedule follows the clock.
    `best.safetensors` and its record hold the averaged weights of the epoch with the lowest mean
    MSE over the datasets of `val` (of the last epoch where there is no `val`).
    """
    accelerator = make_accelerator(settings)
    run, cache = Run(output), output.parent / "cache"
    if unknown := settings.repeat.keys() - {dataset.name for dataset in datasets}:
        raise ColorizeError(f"--set repeat: there is no dataset {', '.join(sorted(unknown))}")
    if settings.photos:
        datasets = choose_photos(datasets, settings.photos)
    if accelerator.is_main_process:
        run.begin(run_config(settings, datasets, accelerator.num_processes), resume=resume)
    with accelerator.main_process_first():
        photos = open_cache(datasets, "train", settings.short_side, cache, stopped)
    if len(photos) == 0:
        raise ColorizeError("No dataset has photos in 'train'; nothing to train on")
    trainer = _Trainer(settings, datasets, photos, run, budget, accelerator)
    if resume:
        trainer.restore(run.load_state())
    if accelerator.is_main_process:
        trainer.validation = Validation(datasets, trainer.record, cache)
        run.open_log(trainer.step)
        run.list_skipped(photos.skipped)
    try:
        return trainer.run_to_end(stopped)
    finally:
        run.close()


class _Trainer:
    """A run's state, and the loop that moves it on."""

    def __init__(
        self,
        settings: Settings,
        datasets: list[Dataset],
        photos: PhotoCache,
        run: Run,
        budget: Budget,
        accelerator,  # noqa: ANN001 - accelerate is optional
    ) -> None:
        self.settings, self.photos, self.run, self.budget = settings, photos, run, budget
        self.accelerator = accelerator
        torch.manual_seed(settings.seed)
        network, origin = make_network(settings)
        network = network.to(accelerator.device, memory_format=torch.channels_last)
        groups = parameter_groups(network, settings)
        self.rates = [group["lr"] for group in groups]  # the highest ones
        optimizer = torch.optim.AdamW(
            groups, betas=(0.9, 0.999), weight_decay=settings.weight_decay
        )
        average = get_ema_multi_avg_fn(settings.ema)
        self.ema = AveragedModel(network, multi_avg_fn=average, use_buffers=True).eval()
        self.record = first_record(settings, network, origin, photos)
        self.network, self.optimizer = accelerator.prepare(network, optimizer)
        self.adversary = Adversary(accelerator, settings.lr) if settings.adversarial else None
        self.loss = make_loss(settings, self.record.ab_scale, photos)
        self.validation: Validation | None = None  # of the first process
        self.steps_an_epoch = self._count_steps()
        self.step, self.epoch, self.batch, self.seconds = 0, 0, 0, 0.0
        self.best = math.inf
        self.losses: list[float] = []

    def _count_steps(self) -> int:
        batch = self.settings.batch * self.accelerator.num_processes
        order = epoch_order(self.photos.datasets, self.settings.repeat, self.settings.seed, 0)
        if len(order) < batch:
            raise ColorizeError(f"{len(order)} photos an epoch are fewer than a batch of {batch}")
        return len(order) // batch

    def run_to_end(self, stopped: Callable[[], bool]) -> bool:
        while self.batch or self._agree(stopped)[0] < 1:
            if not self._run_epoch(stopped):
                self._save()
                self._say(f"Stopped after step {self.step}; go on with --resume")
                return False
            self._end_epoch()
        return True

    def _agree(self, stopped: Callable[[], bool]) -> tuple[float, bool]:
        """Progress and whether to stop, the same on every process: the furthest one's."""
        progress = self.budget.progress(self.seconds, self.step, self.steps_an_epoch)
        said = torch.tensor([progress, stopped()], dtype=torch.float32)
        if self.accelerator.num_processes > 1:
            said = said.to(self.accelerator.device)
            torch.distributed.all_reduce(said, torch.distributed.ReduceOp.MAX)
        progress, stop = said.tolist()
        return progress, bool(stop)

    def _run_epoch(self, stopped: Callable[[], bool]) -> bool:
        """Steps until the epoch or the budget ends (True), or somebody asks to stop (False)."""
        self.network.train()
        bar = tqdm(
            self._batches(),
            f"epoch {self.epoch + 1}",
            total=self.steps_an_epoch,
            initial=self.batch,
            disable=not self.accelerator.is_main_process,
            mininterval=5,
        )
        began, before, saved = time.monotonic(), self.seconds, time.monotonic()
        for rgb in bar:
            progress, stop = self._agree(stopped)
            if stop or progress >= 1:
                return not stop
            self._set_lr(progress)
            self.losses.append(self._train_step(rgb))
            bar.set_postfix(loss=f"{mean(self.losses[-50:]):.4g}", refresh=False)
            self.step, self.batch = self.step + 1, self.batch + 1
            self.seconds = before + time.monotonic() - began
            self._keep()
            if time.monotonic() - saved > _SAVE_EVERY:
                self._save()
                saved = time.monotonic()
        return True

    def _batches(self) -> DataLoader:
        """What is left of this epoch for this process: uint8 `(batch, 3, crop, crop)`."""
        s = self.settings
        order = epoch_order(self.photos.datasets, s.repeat, s.seed, self.epoch)
        crops = Crops(self.photos, order, s.crop, s.smallest, (s.seed, self.epoch))
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        places = np.arange(self.steps_an_epoch * s.batch * processes)
        mine = places.reshape(self.steps_an_epoch, processes, s.batch)[self.batch :, rank]
        on_gpu = self.accelerator.device.type == "cuda"
        workers = s.workers if s.workers >= 0 else 8 * on_gpu
        return DataLoader(
            crops,
            batch_sampler=mine.tolist(),
            num_workers=workers,
            pin_memory=on_gpu,
            generator=torch.Generator(),  # else it draws from the network's, at a resume once more
        )

    def _set_lr(self, progress: float) -> None:
        """Linear warm-up, then a cosine to nothing."""
        warmup = self.settings.warmup
        if progress < warmup:
            factor = progress / warmup
        else:
            factor = (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * max(factor, 1e-3)

    def _train_step(self, rgb: Tensor) -> float:
        rgb = rgb.to(self.accelerator.device, non_blocking=True).float() / 255
        lab = lab_from_rgb(rgb)
        L, ab, options = lab[:, :1], lab[:, 1:], self._pixels()
        if share := self.settings.degrade:
            L = degrade(L, share, self._generator(L.device))
        if share := self.settings.hints:
            hints = random_hints(ab, share, self._generator(torch.device("cpu")))
            options["hints"] = hints.to(ab.device, memory_format=torch.channels_last)
        centre, scale = self.record.lightness
        L = ((L - centre) / scale).contiguous(memory_format=torch.channels_last)
        with self.accelerator.autocast():
            output = self.network(L, **options)
        output, ab = output.float(), self._target(ab, options.get("pixels"))
        loss = self.loss(output, ab)
        if self.adversary:
            L, ab_out = self._target(L, None), bins.annealed_mean(output, self.settings.temperature)
            loss = loss + self.settings.adversarial * self.adversary.loss(L, ab_out)
        if not torch.isfinite(loss):
            raise ColorizeError(f"The loss is {loss.item()} at step {self.step}; try a lower lr")
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update_parameters(self.accelerator.unwrap_model(self.network))
        if self.adversary:
            self.adversary.learn(L, ab, ab_out)
        return loss.item()

    def _pixels(self) -> dict[str, Any]:
        """Which rows and columns of the output this step looks at: the next ones at each step."""
        if (k := self.settings.every) == 1:
            return {}
        return {"pixels": (slice(self.step % k, None, k), slice(self.step // k % k, None, k))}

    def _generator(self, device: torch.device) -> torch.Generator:
        """The same for this step of this process, however often the run was resumed."""
        key = [self.settings.seed, self.step, self.accelerator.process_index]
        seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)
        return torch.Generator(device).manual_seed(seed)

    def _target(self, x: Tensor, pixels: tuple[slice, slice] | None) -> Tensor:
        """True ab or L at the network's resolution, and there at the pixels that it gave."""
        network = self.accelerator.unwrap_model(self.network)
        if (stride := getattr(network, "output_stride", 1)) > 1:
            x = nn.functional.avg_pool2d(x, stride, ceil_mode=True)
        return x[..., pixels[0], pixels[1]] if pixels else x

    def _end_epoch(self) -> None:
        began = time.monotonic()
        if self.accelerator.is_main_process:
            figures = self.validation.figures(self.ema.module, self.accelerator.device)
            if not figures or figures["val_mse"] < self.best:
                self.best = figures.get("val_mse", math.inf)
                save_checkpoint(self.ema.module, self.record_now(), self.run.folder)
            if figures:
                grid = self.validation.grid(self.ema.module, self.accelerator.device)
                self.run.save_grid(grid, self.epoch + 1)
            self._log(figures)
        self.losses = []
        self.epoch, self.batch = self.epoch + 1, 0
        self.seconds += time.monotonic() - began
        self._save()

    def _keep(self) -> None:
        keep = self.settings.keep
        if keep and self.step % keep == 0 and self.accelerator.is_main_process:
            record = replace(self.record_now(), name=f"step-{self.step:06d}")
            save_checkpoint(self.ema.module, record, self.run.folder)

    def _log(self, figures: dict[str, float]) -> None:
        loss = mean(self.losses) if self.losses else None
        row = {
            "step": self.step,
            "epoch": self.epoch + 1,
            "seconds": round(self.seconds, 1),
            "lr": self.optimizer.param_groups[0]["lr"],
            "loss": loss,
        }
        self.run.log(row | figures)
        parts = [f"loss {loss:.5g}"] if self.losses else []
        parts += [f"{name} {value:.5f}" for name, value in figures.items() if "_mse" in name]
        self._say(f"epoch {self.epoch + 1}, step {self.step}: {', '.join(parts)}")

    def _save(self) -> None:
        """The state of the run, by the first process: the others' is the same."""
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        self.run.save_state(
            {
                "network": self.accelerator.unwrap_model(self.network).state_dict(),
                "ema": self.ema.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "scaler": scaler.state_dict() if scaler else {},
                "adversary": self.adversary.state_dict() if self.adversary else {},
                "place": [self.step, self.epoch, self.batch],
                "seconds": self.seconds,
                "best": self.best,
                "losses": self.losses,
                "rng": generator_states(self.accelerator.device),
            }
        )

    def restore(self, state: dict[str, Any]) -> None:
        """Everything that `_save` wrote, so that the next step is the one that was next."""
        self.accelerator.unwrap_model(self.network).load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        if self.adversary:
            self.adversary.load_state_dict(state["adversary"])
        self.step, self.epoch, self.batch = state["place"]
        self.seconds, self.best, self.losses = state["seconds"], state["best"], state["losses"]
        restore_generators(state["rng"], self.accelerator.device)

    def record_now(self) -> Record:
        """The record with what the training has come to."""
        s = self.settings
        files = ("backbone_file=", "start=")
        changes = [change for change in changes_of(s) if not change.startswith(files)]
        command = ["python -m colorize train --network", s.network, "--data DATA --output RUN"]
        command += [str(self.budget), *(f"--set {shlex.quote(change)}" for change in changes)]
        training = {
            "command": " ".join(command),
            "steps": self.step,
            "photos_shown": self.step * s.batch * self.accelerator.num_processes,
            "seconds": round(self.seconds),
            "device": self.accelerator.device.type,
            "threads": torch.get_num_threads(),
            "precision": self.accelerator.mixed_precision,
            "settings": asdict(s)
            | {"backbone_file": Path(s.backbone_file).name, "start": Path(s.start).name},
        }
        return replace(self.record, training=self.record.training | training)

    def _say(self, line: str) -> None:
        if self.accelerator.is_main_process:
            tqdm.write(line)

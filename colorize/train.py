"""Training: one loop that reads top to bottom, resumable, on one device or several."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader
from tqdm import tqdm

from colorize.cache import PhotoCache, open_cache
from colorize.checkpoint import build_network, save_checkpoint
from colorize.color import lab_from_rgb, rgb_from_lab, to_uint8
from colorize.data import Dataset
from colorize.errors import ColorizeError
from colorize.evaluate import SIZE, contestants, score_photos, square
from colorize.losses import make_loss
from colorize.networks.backbone import load_pretrained
from colorize.record import Record
from colorize.runs import Run
from colorize.sampling import Crops, epoch_order
from colorize.settings import Settings, changes_of

_SAVE_EVERY = 300.0  # seconds between states within an epoch
_GRID_PHOTOS = 8


@dataclass(frozen=True)
class Budget:
    """How long a run is: minutes of wall time (validation included) or epochs."""

    minutes: float | None = None
    epochs: int | None = None

    def progress(self, seconds: float, steps: int, steps_an_epoch: int) -> float:
        """The share of the run that is behind, 1 or more at its end."""
        if self.minutes is not None:
            return seconds / (self.minutes * 60)
        return steps / (self.epochs * steps_an_epoch)

    def __str__(self) -> str:
        return (
            f"--minutes {self.minutes:g}"
            if self.minutes is not None
            else (f"--epochs {self.epochs}")
        )


def train(
    settings: Settings, datasets: list[Dataset], output: Path, budget: Budget, *, resume: bool
) -> bool:
    """Trains a network into the run folder `output`; True when done, False when interrupted.

    By epochs, an interrupted and resumed run ends with the same weights, bit for bit, as one
    that ran through; by minutes, the schedule follows the clock. `best.safetensors` and its
    record hold the averaged weights of the epoch with the lowest mean MSE over the datasets of
    `val` (of the last epoch where there is no `val`).
    """
    accelerator = _accelerator(settings)
    run = Run(output)
    if accelerator.is_main_process:
        run.begin(settings, resume=resume)
        open_cache(datasets, "train", settings.short_side, output.parent / "cache")
    accelerator.wait_for_everyone()
    photos = open_cache(datasets, "train", settings.short_side, output.parent / "cache")
    if len(photos) == 0:
        raise ColorizeError("No dataset has photos in 'train'; nothing to train on")
    trainer = _Trainer(settings, datasets, photos, run, budget, accelerator)
    if resume:
        trainer.restore(run.load_state())
    try:
        return trainer.run_to_end()
    finally:
        run.close()


def _accelerator(settings: Settings):  # noqa: ANN202 - accelerate is optional
    try:
        from accelerate import Accelerator
    except ImportError as error:
        raise ColorizeError("Training needs accelerate: pip install -e '.[train]'") from error
    precision = settings.precision
    if precision == "auto":
        precision = _best_precision()
    return Accelerator(mixed_precision=precision)


def _best_precision() -> str:
    """bf16 where the hardware has it, fp16 on an older GPU, else full."""
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    has_bf16 = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return "bf16" if has_bf16() else "no"


class _Trainer:
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
        network, self.backbone = _make_network(settings)
        network = network.to(accelerator.device, memory_format=torch.channels_last)
        trained = [p for p in network.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(
            trained, lr=settings.lr, betas=(0.9, 0.999), weight_decay=settings.weight_decay
        )
        average = get_ema_multi_avg_fn(settings.ema)
        self.ema = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
        self.ema.eval()
        self.network, self.optimizer = accelerator.prepare(network, optimizer)
        self.record = self._record(datasets)
        self.loss = make_loss(settings, self.record.ab_scale, photos)
        self.val = _read_val(datasets) if accelerator.is_main_process else {}
        self.step, self.epoch, self.batch, self.seconds = 0, 0, 0, 0.0
        self.best = math.inf
        self.losses: list[float] = []

    @property
    def steps_an_epoch(self) -> int:
        batch = self.settings.batch * self.accelerator.num_processes
        order = epoch_order(self.photos.datasets, self.settings.repeat, self.settings.seed, 0)
        if len(order) < batch:
            raise ColorizeError(f"{len(order)} photos an epoch are fewer than a batch of {batch}")
        return len(order) // batch

    def run_to_end(self) -> bool:
        steps_an_epoch = self.steps_an_epoch
        with _interruptible() as interrupted:
            while self._progress(steps_an_epoch) < 1:
                finished = self._run_epoch(steps_an_epoch, interrupted)
                if interrupted():
                    self._save()
                    self._say(f"Stopped after step {self.step}; go on with --resume")
                    return False
                if finished or self.budget.minutes is not None:
                    self._end_epoch()
        return True

    def _progress(self, steps_an_epoch: int) -> float:
        """The same on every process: the first one's clock counts."""
        progress = torch.tensor(
            self.budget.progress(self.seconds, self.step, steps_an_epoch),
            device=self.accelerator.device,
            dtype=torch.float32,
        )
        if self.accelerator.num_processes > 1:
            torch.distributed.broadcast(progress, 0)
        return float(progress)

    def _run_epoch(self, steps_an_epoch: int, interrupted) -> bool:  # noqa: ANN001
        """Steps until the epoch, the budget or the user ends it; True at the epoch's end."""
        self.network.train()
        bar = tqdm(
            self._batches(steps_an_epoch),
            f"epoch {self.epoch + 1}",
            total=steps_an_epoch,
            initial=self.batch,
            disable=not self.accelerator.is_main_process,
            mininterval=5,
        )
        began, before, saved = time.monotonic(), self.seconds, time.monotonic()
        for rgb in bar:
            progress = self._progress(steps_an_epoch)
            if progress >= 1:
                return False
            self._set_lr(progress)
            self.losses.append(self._train_step(rgb))
            bar.set_postfix(loss=f"{mean(self.losses[-50:]):.4g}", refresh=False)
            self.step, self.batch = self.step + 1, self.batch + 1
            self.seconds = before + time.monotonic() - began
            if interrupted():
                return False
            if time.monotonic() - saved > _SAVE_EVERY:
                self._save()
                saved = time.monotonic()
        return True

    def _batches(self, steps_an_epoch: int) -> Iterator[Tensor]:
        """What is left of this epoch for this process: uint8 `(batch, 3, crop, crop)`."""
        s = self.settings
        order = epoch_order(self.photos.datasets, s.repeat, s.seed, self.epoch)
        crops = Crops(self.photos, order, s.crop, s.smallest, (s.seed, self.epoch))
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        places = np.arange(steps_an_epoch * s.batch * processes)
        mine = places.reshape(steps_an_epoch, processes, s.batch)[self.batch :, rank]
        on_gpu = self.accelerator.device.type == "cuda"
        workers = s.workers if s.workers >= 0 else 8 * on_gpu
        return iter(
            DataLoader(crops, batch_sampler=mine.tolist(), num_workers=workers, pin_memory=on_gpu)
        )

    def _set_lr(self, progress: float) -> None:
        """Linear warm-up, then a cosine to nothing."""
        warmup = self.settings.warmup
        if progress < warmup:
            factor = progress / warmup
        else:
            factor = (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup))) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * max(factor, 1e-3)

    def _train_step(self, rgb: Tensor) -> float:
        rgb = rgb.to(self.accelerator.device, non_blocking=True).float() / 255
        lab = lab_from_rgb(rgb)
        centre, scale = self.record.lightness
        L = ((lab[:, :1] - centre) / scale).contiguous(memory_format=torch.channels_last)
        ab = lab[:, 1:]
        options = {}
        if (k := self.settings.every) > 1:
            rows, columns = (slice(self.step % k, None, k), slice(self.step // k % k, None, k))
            options["pixels"], ab = (rows, columns), ab[..., rows, columns]
        with self.accelerator.autocast():
            output = self.network(L, **options)
        if output.shape[-2:] != ab.shape[-2:]:
            ab = nn.functional.interpolate(ab, output.shape[-2:], mode="area")
        loss = self.loss(output.float(), ab)
        if not torch.isfinite(loss):
            raise ColorizeError(f"The loss is {loss.item()} at step {self.step}; try a lower lr")
        self.accelerator.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update_parameters(self.accelerator.unwrap_model(self.network))
        return loss.item()

    def _end_epoch(self) -> None:
        began = time.monotonic()
        if self.accelerator.is_main_process:
            figures = self._validate()
            average = mean(figures.values()) if figures else -self.epoch
            if average < self.best:
                self.best = average
                save_checkpoint(self.ema.module, self.record_now(), self.run.folder)
            self._log(figures)
        self.losses = []
        self.epoch, self.batch = self.epoch + 1, 0
        self.seconds += time.monotonic() - began
        self._save()

    def _validate(self) -> dict[str, float]:
        """MSE by dataset of the averaged weights, with the decoding of the lowest MSE."""
        if not self.val:
            return {}
        self.ema.eval()
        entry = contestants(self.ema.module, self.record, self.accelerator.device)[-1]
        figures = {}
        for name, photos in self.val.items():
            scores = score_photos([entry], photos)[entry]
            figures[name] = mean(score["mse"] for score in scores)
        self._save_grid(entry)
        return figures

    def _log(self, figures: dict[str, float]) -> None:
        row = {
            "step": self.step,
            "epoch": self.epoch + 1,
            "seconds": round(self.seconds, 1),
            "lr": self.optimizer.param_groups[0]["lr"],
            "loss": mean(self.losses) if self.losses else math.nan,
            "val_mse": mean(figures.values()) if figures else math.nan,
        }
        self.run.log(row | {f"val_mse_{name}": value for name, value in figures.items()})
        values = ", ".join(f"{name} {value:.5f}" for name, value in figures.items())
        self._say(f"epoch {self.epoch + 1}, step {self.step}: loss {row['loss']:.5g}; {values}")

    def _save_grid(self, entry) -> None:  # noqa: ANN001
        photos = [photo for photos in self.val.values() for photo in photos[:2]][:_GRID_PHOTOS]
        truth = lab_from_rgb(torch.cat([square(photo, SIZE) for photo in photos]))
        ab = entry.colorize(truth[:, :1])
        rows = []
        for L, predicted, lab in zip(truth[:, :1], ab, truth, strict=True):
            panels = (torch.zeros_like(predicted), predicted, lab[1:])
            pictures = (to_uint8(rgb_from_lab(torch.cat((L, panel)))) for panel in panels)
            rows.append(tuple(picture.permute(1, 2, 0).numpy() for picture in pictures))
        self.run.save_grid(rows, self.epoch + 1)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            self.run.save_state(
                {
                    "network": self.accelerator.unwrap_model(self.network).state_dict(),
                    "ema": self.ema.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                    "place": [self.step, self.epoch, self.batch],
                    "seconds": self.seconds,
                    "best": self.best,
                    "losses": self.losses,
                    "rng": torch.get_rng_state(),
                }
            )
        self.accelerator.wait_for_everyone()

    def restore(self, state: dict) -> None:
        """Everything that `_save` wrote, so that the next step is the one that was next."""
        self.accelerator.unwrap_model(self.network).load_state_dict(state["network"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.epoch, self.batch = state["place"]
        self.seconds, self.best, self.losses = state["seconds"], state["best"], state["losses"]
        torch.set_rng_state(state["rng"])

    def _record(self, datasets: list[Dataset]) -> Record:
        s = self.settings
        bins = s.loss in ("one-hot", "soft")
        decoding = {"kind": "annealed-mean", "temperature": s.temperature}
        counts = {dataset.name: len(dataset.photos["train"]) for dataset in datasets}
        return Record(
            name="best",
            title=s.network.capitalize(),
            summary=f"{s.network}, trained on {', '.join(counts)}",
            network=s.network,
            arguments=_arguments(s),
            size=s.size,
            decoding=decoding if bins else {"kind": "direct"},
            lightness=(50.0, 100.0) if s.network == "zhang" else (50.0, 50.0),
            backbone=self.backbone,
            data={"train": counts, "repeat": s.repeat},
        )

    def record_now(self) -> Record:
        """The record with what the training has come to."""
        s = self.settings
        changes = " ".join(f"--set {c}" for c in changes_of(s) if not c.startswith("backbone_f"))
        command = f"python -m colorize train --network {s.network} --data DATA --output RUN"
        training = {
            "command": f"{command} {self.budget} {changes}".strip(),
            "steps": self.step,
            "photos_shown": self.step * s.batch * self.accelerator.num_processes,
            "seconds": round(self.seconds),
            "device": self.accelerator.device.type,
            "threads": torch.get_num_threads(),
            "precision": self.accelerator.mixed_precision,
            "settings": asdict(s) | {"backbone_file": Path(s.backbone_file).name},
        }
        return Record(**{**self.record.__dict__, "training": training})

    def _say(self, line: str) -> None:
        if self.accelerator.is_main_process:
            tqdm.write(line)


def _arguments(settings: Settings) -> dict:
    if not settings.backbone:
        return {}
    return {
        "backbone": settings.backbone,
        "backbone_size": settings.backbone_size or None,
    }


def _make_network(settings: Settings) -> tuple[nn.Module, dict | None]:
    network = build_network(settings.network, _arguments(settings))
    if not settings.backbone:
        return network, None
    file = Path(settings.backbone_file) if settings.backbone_file else None
    source = load_pretrained(network.backbone.network, settings.backbone, file)
    return network, {"name": settings.backbone, "weights": source}


def _read_val(datasets: list[Dataset]) -> dict[str, list[np.ndarray]]:
    """Decoded `val` photos by dataset; those without any are left out."""
    return {
        dataset.name: [photo.pixels() for photo in dataset.photos["val"]]
        for dataset in datasets
        if dataset.photos["val"]
    }


@contextmanager
def _interruptible() -> Iterator:
    """Ctrl-C and SIGTERM ask for an end after the present step; a second one ends at once."""
    asked: list[int] = []
    handlers = {}

    def ask(number: int, frame: object) -> None:
        asked.append(number)
        for which, handler in handlers.items():
            signal.signal(which, handler)

    for which in (signal.SIGINT, signal.SIGTERM):
        handlers[which] = signal.signal(which, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for which, handler in handlers.items():
            signal.signal(which, handler)

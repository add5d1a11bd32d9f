"""The adversarial finish that the second paper's abstract names: a patch discriminator."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BETAS = (0.5, 0.999)


class PatchDiscriminator(nn.Module):
    """Isola et al. 2017 ("Image-to-Image Translation with ...", 3.2.2): real or not, by patches.

    L in [-1, 1] and ab / 110 `(N, 3, H, W)` -> logits `(N, 1, h, w)`, one a patch of 34 x 34
    pixels: the paper's layers with one of stride 2 less, for pictures of 64 to 128 pixels.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            *_block(width, 2 * width, stride=2),
            *_block(2 * width, 4 * width, stride=1),
            nn.Conv2d(4 * width, 1, 4, padding=1),
        )

    def forward(self, lab: Tensor) -> Tensor:
        return self.layers(lab)


def _block(before: int, after: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)


class Adversary:
    """The discriminator of a run and its optimizer. It learns after the colorizer has."""

    def __init__(self, accelerator: Any, lr: float) -> None:
        network = PatchDiscriminator().to(accelerator.device)
        optimizer = torch.optim.Adam(network.parameters(), lr=lr, betas=_BETAS)
        self._accelerator = accelerator
        self.network, self.optimizer = accelerator.prepare(network, optimizer)

    def loss(self, L: Tensor, ab: Tensor) -> Tensor:
        """How well it tells these colours from true ones: what the colorizer wants low."""
        logits = self._judge(L, ab)
        return F.binary_cross_entropy_with_logits(logits, torch.ones_like(logits))

    def learn(self, L: Tensor, true_ab: Tensor, ab: Tensor) -> float:
        """One step of telling true ab from the colorizer's, both `(N, 2, H, W)`; its loss."""
        self.optimizer.zero_grad(set_to_none=True)  # the colorizer's step left gradients
        true, false = self._judge(L, true_ab), self._judge(L, ab.detach())
        loss = (
            F.binary_cross_entropy_with_logits(true, torch.ones_like(true))
            + F.binary_cross_entropy_with_logits(false, torch.zeros_like(false))
        ) / 2
        self._accelerator.backward(loss)
        self.optimizer.step()
        return loss.item()

    def _judge(self, L: Tensor, ab: Tensor) -> Tensor:
        with self._accelerator.autocast():
            return self.network(torch.cat((L, ab / 110), 1)).float()

    def state_dict(self) -> dict[str, Any]:
        network = self._accelerator.unwrap_model(self.network)
        return {"network": network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._accelerator.unwrap_model(self.network).load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])

import torch

from colorize.color import bins
from colorize.models.networks.published.zhang import Zhang

# Figure 2 of the second paper: outputs of each block's convolutions.
BLOCKS = {
    1: (64, 64), 2: (128, 128), 3: (256, 256, 256), 4: (512, 512, 512),
    5: (512, 512, 512), 6: (512, 512, 512), 7: (512, 512, 512),
}  # fmt: skip


def published_shapes():
    """The names and shapes of the published PyTorch weights, written out by their rule."""
    shapes, before = {}, 1
    for number, filters in BLOCKS.items():
        for place, after in enumerate(filters):
            shapes[f"model{number}.{2 * place}.weight"] = (after, before, 3, 3)
            shapes[f"model{number}.{2 * place}.bias"] = (after,)
            before = after
        for key in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"model{number}.{2 * len(filters)}.{key}"] = (before,)
        shapes[f"model{number}.{2 * len(filters)}.num_batches_tracked"] = ()
    shapes |= {"model8.0.weight": (512, 256, 4, 4), "model8.0.bias": (256,)}  # transposed
    for place in (2, 4):
        shapes |= {f"model8.{place}.weight": (256, 256, 3, 3), f"model8.{place}.bias": (256,)}
    shapes |= {"model8.6.weight": (313, 256, 1, 1), "model8.6.bias": (313,)}
    return shapes | {"model_out.weight": (2, 313, 1, 1)}


def test_names_and_shapes_are_the_published_ones():
    assert {k: tuple(v.shape) for k, v in Zhang().state_dict().items()} == published_shapes()


def test_number_of_parameters():
    count = sum(p.numel() for p in Zhang().parameters())
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    shapes = {k: v for k, v in published_shapes().items() if not k.endswith(statistics)}
    assert count == sum(torch.Size(shape).numel() for shape in shapes.values()) == 32_236_011


def test_strides_and_dilations():
    network = Zhang()
    last = {number: getattr(network, f"model{number}")[-3] for number in BLOCKS}
    assert [c.stride[0] for c in last.values()] == [2, 2, 2, 1, 1, 1, 1]
    assert [c.dilation[0] for c in last.values()] == [1, 1, 1, 1, 2, 2, 1]


def test_colours_of_the_bins_are_their_centres_until_learnt_ones_are_loaded():
    network = Zhang()
    assert torch.allclose(network.bin_colours, bins.centres(), atol=1e-4)
    network.model_out.weight.data.mul_(0.5)
    assert torch.allclose(network.bin_colours, bins.centres() / 2, atol=1e-4)


def test_the_colours_do_not_train():
    assert not Zhang().model_out.weight.requires_grad

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from colorize.errors import ColorizeError
from colorize.models.networks import backbone
from colorize.models.networks.backbone import Backbone, create, load_pretrained
from colorize.models.networks.unet import Encoder


@pytest.fixture(name="L")
def lightness(generator):
    return torch.rand(3, 1, 20, 30, generator=generator) * 2 - 1


def save_full(name, file, **changes):
    """The weights of the whole timm network `name`, as timm users have them."""
    torch.manual_seed(1)
    network = create(name).eval()
    state = {key: value.clone() for key, value in network.state_dict().items()}
    save_file({key: value for key, value in (state | changes).items() if value is not None}, file)
    return network


@pytest.mark.parametrize(
    "name", ["test_resnet", "test_efficientnet", "test_vit", "swin_tiny_patch4_window7_224"]
)
def test_gives_one_vector_a_photo(name, L):
    features = Backbone(name)
    assert features(L).shape == (3, features.features)


def test_papers_backbone_gives_1536_numbers():
    assert Backbone("inception_resnet_v2", 96).features == 1536


def test_grey_is_resized_and_normalised_the_networks_own_way(L):
    features = Backbone("test_resnet", 64)
    grey = F.interpolate((L + 1) / 2, (64, 64), mode="bicubic", antialias=True).expand(
        -1, 3, -1, -1
    )
    config = features.network.pretrained_cfg
    mean, std = (torch.tensor(config[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
    with torch.no_grad():
        expected = features.network((grey - mean) / std)[-1].mean((2, 3))
    assert torch.allclose(features(L), expected, atol=1e-5)


def test_stays_frozen_and_in_eval(L):
    features = Backbone("test_resnet", 64)
    before = {key: value.clone() for key, value in features.state_dict().items()}
    torch.nn.Sequential(features).train()
    features.train(True)
    assert not any(module.training for module in features.modules())
    assert not any(p.requires_grad for p in features.parameters())
    assert not features(L.requires_grad_()).requires_grad
    assert all(torch.equal(before[key], value) for key, value in features.state_dict().items())


@pytest.mark.parametrize(
    "name", ["test_resnet", "test_efficientnet", "test_vit", "densenet121", "pit_ti_224"]
)
def test_weights_come_from_a_file_of_the_whole_network(name, tmp_path):
    file = tmp_path / "weights.safetensors"
    whole = save_full(name, file)
    features = Backbone(name)
    assert load_pretrained(features.network, name, file) == "weights.safetensors"
    values = {value.sum().item() for value in whole.state_dict().values()}
    assert all(value.sum().item() in values for value in features.network.state_dict().values())


def test_loaded_weights_give_the_whole_networks_features(tmp_path, L):
    whole = save_full("test_resnet", tmp_path / "w.safetensors")
    features = Backbone("test_resnet", 64)
    load_pretrained(features.network, "test_resnet", tmp_path / "w.safetensors")
    seen = []
    features.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    vectors = features(L)
    with torch.no_grad():
        assert torch.allclose(vectors, whole.forward_features(seen[0]).mean((2, 3)), atol=1e-5)


def test_inputs_of_hints_begin_at_nothing_and_keep_what_they_have_learnt(tmp_path):
    whole = save_full("test_efficientnet", tmp_path / "w.safetensors")
    encoder = Encoder("test_efficientnet")
    first = encoder.network.conv_stem.weight
    assert first.shape[1] == 6 and not first[:, 3:].any()
    with torch.no_grad():
        first.fill_(0.5)
    load_pretrained(encoder.network, "test_efficientnet", tmp_path / "w.safetensors")
    assert torch.equal(first[:, :3], whole.conv_stem.weight)
    assert (first[:, 3:] == 0.5).all()


def test_half_precision_files_are_read_as_float32(tmp_path):
    whole = create("test_resnet").half()
    save_file(whole.state_dict(), tmp_path / "w.safetensors")
    features = Backbone("test_resnet")
    load_pretrained(features.network, "test_resnet", tmp_path / "w.safetensors")
    dtypes = {value.dtype for value in features.network.state_dict().values()}
    assert dtypes == {torch.float32, torch.int64}


def one_line(error):
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_missing_tensor_is_named(tmp_path):
    save_full("test_resnet", tmp_path / "w.safetensors", **{"conv1.0.weight": None})
    with pytest.raises(ColorizeError, match=r"conv1.0.weight.*that very network") as error:
        load_pretrained(Backbone("test_resnet").network, "test_resnet", tmp_path / "w.safetensors")
    assert "w.safetensors" in one_line(error)


def test_the_weights_of_another_network_are_refused(tmp_path):
    wrong = torch.zeros(5, 3, 3, 3)
    save_full("test_resnet", tmp_path / "w.safetensors", **{"conv1.0.weight": wrong})
    with pytest.raises(ColorizeError, match="another shape") as error:
        load_pretrained(Backbone("test_resnet").network, "test_resnet", tmp_path / "w.safetensors")
    one_line(error)


@pytest.mark.parametrize("content", [b"", b"not weights at all", None])
def test_a_file_that_is_none_is_one_line(tmp_path, content):
    file = tmp_path / "w.safetensors"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ColorizeError, match="expected a safetensors file") as error:
        load_pretrained(Backbone("test_resnet").network, "test_resnet", file)
    assert str(file) in one_line(error)


def test_weights_that_cannot_be_fetched_are_one_line_that_says_what_to_do(monkeypatch):
    network = Backbone("test_resnet").network
    import timm

    def offline(name, pretrained):
        assert pretrained
        raise ConnectionError("Max retries exceeded\nwith a long story")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(ColorizeError, match="backbone_file=FILE") as error:
        load_pretrained(network, "test_resnet", None)
    assert "test_resnet could not be fetched (ConnectionError)" in one_line(error)


def test_weights_that_can_be_fetched_are_used(monkeypatch):
    whole = create("test_resnet")
    features = Backbone("test_resnet")
    monkeypatch.setattr(backbone, "_fetch", lambda name: whole.state_dict())
    assert load_pretrained(features.network, "test_resnet", None) == "timm/test_resnet"
    first = features.network.state_dict()["conv1.0.weight"]
    assert torch.equal(first, whole.state_dict()["conv1.0.weight"])


def test_unknown_names_are_refused_with_those_near():
    with pytest.raises(ColorizeError, match="timm knows no network 'resnet19'; near it: resnet"):
        Backbone("resnet19")


def test_a_size_that_a_network_cannot_take_is_refused():
    with pytest.raises(ColorizeError, match="takes pictures of 160 pixels only"):
        Backbone("test_vit", 96)


def test_a_network_without_features_is_refused(monkeypatch):
    import timm

    def refuse(name, **arguments):
        raise RuntimeError("features_only not implemented for this\nmodel")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(ColorizeError, match="no features of test_resnet: features_only") as error:
        Backbone("test_resnet")
    one_line(error)

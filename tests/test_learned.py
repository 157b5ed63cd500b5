"""The learned baselines of examples/learned: the files that are shipped, and, where PyTorch is, how they are made."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from deconv import degrade
from deconv.compare import Context, load_methods
from deconv.compare.adapters import build

LEARNED = Path(__file__).parents[1] / "examples" / "learned"
SIZES = {"nyrhila": 66_849, "unet": 238_657}


def shipped():
    return dict(zip(SIZES, load_methods(LEARNED / "learned.toml"), strict=True))


@pytest.mark.parametrize("name", SIZES)
def test_a_recipe_lies_beside_the_weights(name):
    weights, told = LEARNED / f"{name}.onnx", json.loads((LEARNED / f"{name}.json").read_text())
    assert Path(shipped()[name].options["file"]) == weights.resolve()
    assert weights.stat().st_size == told["bytes"] < 1_000_000
    assert told["parameters"] == SIZES[name]
    assert told["held back"]["share of pixels wrong"] < 0.07
    assert {"trained on", "seed", "optimiser", "versions"} <= set(told)
    # Nothing of the machine that made them is in them.
    assert not any(folder in weights.read_bytes() for folder in (b"/home", b"/root", b"/tmp", b"/work"))


@pytest.mark.parametrize("shrink", [3, 7])
@pytest.mark.parametrize("name", SIZES)
def test_the_weights_restore_what_they_were_trained_for(name, shrink):
    pytest.importorskip("onnxruntime")
    method = shipped()[name]
    photo = degrade.hdc_photo(7, ["Deconv", "reads", "this"], shrink=shrink, rng=12)
    restore = build(method, allow_shell=False)
    restored = restore(photo.image, Context(level=7.0 if "level" in method.knows else None))
    assert restored.shape == photo.image.shape
    ink = photo.sharp < 0.5
    assert np.mean((restored < 0.5) != ink) < 0.4 * ink.mean()


def learned():
    """The modules of the examples; they import PyTorch."""
    pytest.importorskip("torch")
    sys.path.insert(0, str(LEARNED))
    try:
        import networks
        import pictures
        import train
    finally:
        sys.path.remove(str(LEARNED))
    return networks, pictures, train


# PyTorch's exporter warns of PyTorch.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SIZES)
def test_what_is_written_is_the_network(name, tmp_path):
    networks, _, train = learned()
    import torch

    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    torch.manual_seed(0)
    network = networks.NETWORKS[name]().eval()
    assert sum(p.numel() for p in network.parameters()) == SIZES[name]
    train.write(network, tmp_path / "network.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx")
    planes = network.planes(np.random.default_rng(0).random((96, 122), np.float32))[None]
    given = [planes, np.full((1, 1), 7, np.float32)][: len(session.get_inputs())]
    (made,) = session.run(None, {i.name: g for i, g in zip(session.get_inputs(), given, strict=True)})
    with torch.no_grad():
        true = network(*map(torch.from_numpy, given)).numpy()
    np.testing.assert_allclose(made, true, atol=1e-5)
    wanted = network.inner(torch.zeros(1, 1, 96, 122)).shape
    assert made.shape == tuple(wanted)


def test_pictures_are_the_same_again_and_no_two_alike():
    _, pictures, _ = learned()
    data = pictures.Pictures(6, 3, lambda image: image[None])
    assert len(data) == 6
    planes, step, sharp = data[4]
    assert planes.shape == sharp.shape == (1, 208, 337)
    assert set(np.unique(sharp > 0.5)) == {False, True}
    again = pictures.Pictures(9, 3, lambda image: image[None])[4]
    assert all(np.array_equal(a, b) for a, b in zip((planes, step, sharp), again, strict=True))
    assert len({data[i][0].tobytes() for i in range(6)} | {pictures.Pictures(6, 4, lambda i: i)[4][0].tobytes()}) == 7


@pytest.mark.filterwarnings("ignore")
def test_training_learns_and_is_repeatable(tmp_path, monkeypatch, capsys):
    _, _, train = learned()
    pytest.importorskip("onnxscript")
    monkeypatch.setattr(train, "HELD_BACK", 2)
    told = []
    for out in ("a", "b"):
        monkeypatch.setattr(
            sys, "argv", ["train.py", "unet", "--samples", "80", "--out", str(tmp_path / out), "--seed", "5"]
        )
        assert train.main() == 0
        told.append(json.loads((tmp_path / out / "unet.json").read_text()))
    assert (tmp_path / "a/unet.onnx").read_bytes() == (tmp_path / "b/unet.onnx").read_bytes()
    assert told[0]["held back"] == told[1]["held back"]
    monkeypatch.setattr(
        sys, "argv", ["train.py", "unet", "--samples", "1", "--out", str(tmp_path / "c"), "--seed", "5"]
    )
    assert train.main() == 0
    hardly = json.loads((tmp_path / "c/unet.json").read_text())
    assert told[0]["held back"]["cross entropy"] < hardly["held back"]["cross entropy"] - 0.05
    assert told[0]["seed"] == 5
    assert "80 of 80" in capsys.readouterr().out

"""Methods declared in TOML files, those that are shipped among them."""

from pathlib import Path

import numpy as np
import pytest

from deconv._core import files
from deconv.compare.adapters import build
from deconv.compare.methods import BUILTIN, load_methods
from deconv.compare.prepare import Prepare
from deconv.compare.protocol import Context, Problem

EXAMPLES = Path(__file__).parent.parent / "examples" / "compare"


def load(tmp_path, text):
    path = tmp_path / "methods.toml"
    path.write_text(text)
    return load_methods(path)


def test_keys_become_fields(tmp_path):
    (method,) = load(
        tmp_path,
        """
        [[method]]
        name = "mine"
        type = "torch"
        factory = "package:net"
        weights = "weights/net.pt"
        kind = "learned"
        knows = ["level", "noise"]
        trained_on = "text"
        licence = "MIT"
        timeout = 30
        [method.parameters]
        width = 8
        [method.prepare]
        channels = "grey"
        """,
    )
    assert (method.name, method.type, method.kind, method.knows) == ("mine", "torch", "learned", ("level", "noise"))
    assert (method.trained_on, method.licence, method.timeout) == ("text", "MIT", 30.0)
    assert method.prepare == {"channels": "grey"}
    assert method.options == {
        "factory": "package:net",
        "weights": str(tmp_path / "weights" / "net.pt"),
        "parameters": {"width": 8},
        "folder": str(tmp_path),
    }


def test_a_grid_is_no_option(tmp_path):
    text = '[[method]]\nname = "m"\ntype = "python"\nfunction = "package:f"\n[method.grid]\na = [1, 2.5]\nb = ["x"]'
    (method,) = load(tmp_path, text)
    assert method.grid == {"a": [1, 2.5], "b": ["x"]}
    assert method.options == {"function": "package:f", "folder": str(tmp_path)}
    assert load(tmp_path, text.partition("[method.grid]")[0])[0].grid == {}


def test_paths_start_from_the_folder_of_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("deep").mkdir()
    Path("deep/m.toml").write_text('[[method]]\nname = "m"\ntype = "folder"\npattern = "out/{stem}*.png"')
    (method,) = load_methods("deep/m.toml")
    assert method.options["pattern"] == str(tmp_path / "deep" / "out" / "{stem}*.png")
    Path("deep/m.toml").write_text('[[method]]\nname = "m"\ntype = "onnx"\nfile = "/else/where.onnx"')
    assert load_methods("deep/m.toml")[0].options["file"] == "/else/where.onnx"


def test_the_folder_of_the_file_is_no_pattern(tmp_path):
    home = tmp_path / "run[1]"
    (home / "out").mkdir(parents=True)
    files.write(home / "out" / "page.png", np.full((8, 8), 1.0))
    (method,) = load(home, '[[method]]\nname = "m"\ntype = "folder"\npattern = "out/{stem}.png"')
    assert build(method)(np.zeros((8, 8)), Context(), name="page").min() == 1


def test_networks_are_taken_for_learned(tmp_path):
    network = '[[method]]\nname = "a"\ntype = "onnx"\nfile = "a"\n'
    own = '[[method]]\nname = "b"\ntype = "deconv"\nfunction = "deblur"'
    methods = load(tmp_path, network + own)
    assert [method.kind for method in methods] == ["learned", "classical"]


OWN = 'name = "m"\ntype = "deconv"\nfunction = "wiener"\nknows = ["psf"]\n'
GOOD = 'name = "m"\ntype = "shell"\ncommand = "prog {in} {out}"\n'


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('type = "shell"', "method 1: name is missing"),
        ('name = "m"', "method 'm': type is missing"),
        ('name = 3\ntype = "deconv"\nfunction = "deblur"', "method 1: name must be text, got 3"),
        ('name = "m"\ntype = "caffe"', "type must be one of 'deconv', 'python', .* got 'caffe'"),
        ('name = "m"\ntype = "onnx"', "the type 'onnx' needs file, got none of them"),
        ('name = "m"\ntype = "torch"', "the type 'torch' needs file, or factory and weights, got none of them"),
        ('name = "m"\ntype = "torch"\nfile = "a"\nweights = "b"', "got file and weights"),
        ('name = "m"\ntype = "onnx"\nfile = 3', "file must be text, got 3"),
        ('name = "m"\ntype = "torch"\nfile = "a"\n[method.parameters]\nn = 1', "parameters are those of the factory"),
        (GOOD + 'weight = "a"', "weight is not a key of the type 'shell', known are name, type, .* command, bits"),
        (GOOD + "[method.prepare]\ntile = 3", "prepare is not a key of the type 'shell'"),
        (GOOD + 'kind = "reference"', "kind must be one of 'classical', 'learned', got 'reference'"),
        (GOOD + 'knows = "psf"', "knows must be a list, got 'psf'"),
        (GOOD + 'knows = ["truth"]', "each of knows must be one of 'psf', 'level', 'noise', got 'truth'"),
        (GOOD + "timeout = 0", "timeout must be greater than 0"),
        (GOOD + "timeout = true", "timeout must be a number, got True"),
        (GOOD + "bits = 12", "bits must be 8 or 16, got 12"),
        (GOOD.replace("{in}", "in"), r"command must have \{in\}"),
        (GOOD.replace("{in}", "{in} {level}"), r"knows must have 'level', as the command has \{level\}, got \[\]"),
        ('name = "m"\ntype = "folder"\npattern = "out/*.png"', r"pattern must have \{stem\}"),
        ('name = "m"\ntype = "python"\nfunction = "package.fn"', 'function must be "package:function", got'),
        ('name = "m"\ntype = "torch"\nfactory = "net"\nweights = "w"', 'factory must be "package:function", got'),
        ('name = "m"\ntype = "deconv"\nfunction = "sharp"', "function must be one of wiener, .* got 'sharp'"),
        ('name = "m"\ntype = "deconv"\nfunction = "wiener"', "knows must have 'psf', as wiener needs it"),
        ('name = "m"\ntype = "onnx"\nfile = "a"\n[method.prepare]\ntile = 0', "prepare.tile must lie between 1"),
        ('name = "m"\ntype = "onnx"\nfile = "a"\n[method.prepare]\nlevel = "input"', "knows must have 'level'"),
        (GOOD + "[method.grid]\na = [1]", "grid is not a key of the type 'shell', known are name"),
        (OWN + "grid = [1]", "grid must be a table, got"),
        (OWN + "[method.grid]\nbalance = 1", "grid.balance must be a list of the values to try, got 1"),
        (OWN + "[method.grid]\nbalance = []", r"grid.balance must be a list of the values to try, got \[\]"),
        (GOOD + "[[method]]\n" + GOOD, "method 'm': its name is used twice"),
        (GOOD + "[[method]]\n" + GOOD.replace('"m"', '"M!"'), "method 'M!': its name gives the same folder as 'm'"),
    ],
)
def test_what_cannot_be_declared(tmp_path, table, message):
    with pytest.raises(Problem, match=message) as caught:
        load(tmp_path, "[[method]]\n" + table)
    assert str(caught.value).startswith(f"{tmp_path / 'methods.toml'}, method ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"declares no \[\[method\]\]"),
        ("method = 3", r"declares no \[\[method\]\]"),
        ("[method]\nname = 'm'", r"declares no \[\[method\]\]"),
        ("[[methods]]\nname = 'm'", "has the key 'methods'"),
        ("[[method", "is not valid TOML: "),
    ],
)
def test_files_that_declare_nothing(tmp_path, text, message):
    with pytest.raises(Problem, match=message):
        load(tmp_path, text)


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(Problem, match=r"cannot read .*none.toml: No such file"):
        load_methods(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="is not a text file in UTF-8"):
        load_methods(tmp_path / "bytes.toml")


def test_builtin():
    assert [m.name for m in BUILTIN if m.kind == "reference"] == ["blurred", "sharp"]
    assert all(m.options["function"] == m.name for m in BUILTIN[:2])
    assert [m.name for m in BUILTIN if m.knows == ("psf",)] == [
        "Wiener",
        "Richardson-Lucy",
        "total variation",
        "ours, PSF known",
    ]
    assert all(callable(build(method)) for method in BUILTIN[2:])


# ---- the examples: what each network is given of a picture of some size, and what it returns

SHAPES = {
    # (picture) -> (what the network sees), (what it returns), (result)
    "BMVC text CNN": ((320, 620, 3), (1, 3, 350, 350), (1, 3, 300, 300), (320, 620, 3)),
    "DeblurGAN": ((30, 45, 3), (1, 3, 32, 48), (1, 3, 32, 48), (30, 45, 3)),
    "Nyrhila": ((1460, 2360), (1, 5, 267, 395), (1, 1, 209, 337), (1460, 2360)),
    "TSRN": ((16, 64, 3), (1, 4, 16, 64), (1, 4, 32, 128), (32, 128, 3)),
    "TextSR": ((16, 64, 3), (1, 3, 16, 64), (1, 3, 64, 256), (64, 256, 3)),
    "licence-plate CNN": ((50, 97, 3), (1, 20, 40, 3), (1, 20, 40, 3), (50, 97, 3)),
}
SHIPPED = {method.name: method for path in sorted(EXAMPLES.glob("*.toml")) for method in load_methods(path)}


def test_every_system_has_an_example():
    others = {"Neural Enhance", "Real-SR", "TextSR, its pictures"}
    assert set(SHIPPED) == set(SHAPES) | others
    assert {SHIPPED[name].type for name in others} == {"shell", "folder"}
    assert {method.kind for method in SHIPPED.values()} == {"learned"}


@pytest.mark.parametrize("name", SHAPES)
def test_examples_give_networks_what_they_take(name):
    given, seen, returned, wanted = SHAPES[name]
    prepare = Prepare.from_table(SHIPPED[name].prepare)

    def network(batch, *level):
        assert batch.shape == seen
        assert [told.item() for told in level] == ([4.0] if name == "Nyrhila" else [])
        return np.zeros(returned, np.float32)

    image = np.full(given, 0.5, np.float32)
    result = prepare.apply(network, image, Context(level=4.0 if "level" in SHIPPED[name].knows else None))
    assert result.shape == wanted
    # What zero is: black; the mean of the training set; nothing to be added.
    zero = {"BMVC text CNN": np.array([123.68, 116.779, 103.939]) / 255, "DeblurGAN": 0.5}.get(name, 0.0)
    np.testing.assert_allclose(result, np.broadcast_to(zero, wanted), atol=1e-5)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_examples_say_what_they_lack(name):
    """No weights and no programs are shipped: each is a row that says so."""
    with pytest.raises(Problem):
        build(SHIPPED[name], allow_shell=True)(np.zeros((16, 64)), Context(level=1.0), name="page")

"""Picture files: exact reading of every kind, faithful and atomic writing, one sentence for what is no picture."""

import io
import os
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from deconv._core import files
from deconv._core.files import FileProblem, Picture, check_output, read, write

RNG = np.random.default_rng(0)


def noise(*shape, dtype):
    """Every bit pattern likely; an asymmetric shape."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return RNG.random(shape).astype(dtype)
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def png(values, *, interlace=False):
    """PNG of `values` (M, N, C) made here, its rows filtered in turn in each of the five ways."""
    height, width, channels = values.shape
    step = channels * values.dtype.itemsize
    rows = values.astype(values.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1).astype(int)
    data = b""
    for y, row in enumerate(rows):
        up = rows[y - 1] if y else np.zeros_like(row)
        left, corner = (np.concatenate([np.zeros(step, int), line[:-step]]) for line in (row, up))
        guess = left + up - corner
        a, b, c = abs(guess - left), abs(guess - up), abs(guess - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, up, corner))
        predicted = (0 * row, left, up, (left + up) // 2, paeth)[y % 5]
        data += bytes([y % 5]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8 * values.dtype.itemsize, kind, 0, 0, 0)
    out = b"\x89PNG\r\n\x1a\n"
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")):
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return out


def planes(picture):
    """Values of a picture (M, N, C), alpha last, in the file's own units."""
    pixels = picture.pixels if picture.pixels.ndim == 3 else picture.pixels[..., None]
    if picture.alpha is not None:
        pixels = np.concatenate([pixels, picture.alpha[..., None]], axis=-1)
    return pixels * picture.white


# ---- reading


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_png_of_every_depth_is_read_exactly(tmp_path, channels, dtype):
    values = noise(13, 7, channels, dtype=dtype)
    (tmp_path / "a.png").write_bytes(png(values))
    picture = read(tmp_path / "a.png")
    assert picture.dtype == values.dtype
    assert picture.pixels.dtype == np.float32
    assert picture.channel_axis == (-1 if channels > 2 else None)
    np.testing.assert_array_equal(np.round(planes(picture)), values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_tiff_goes_round_unchanged(tmp_path, channels, dtype):
    values = noise(13, 7, channels, dtype=dtype)
    options = {"extrasamples": ["unassalpha"]} if channels in (2, 4) else {}
    tifffile.imwrite(
        tmp_path / "a.tif",
        values[..., 0] if channels == 1 else values,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        metadata=None,
        **options,
    )
    picture = read(tmp_path / "a.tif")
    assert picture.dtype == values.dtype
    write(tmp_path / "b.tif", picture.pixels, like=picture)
    again = tifffile.imread(tmp_path / "b.tif")
    assert again.dtype == values.dtype
    np.testing.assert_array_equal(again.reshape(values.shape), values)


def test_tiff_of_separate_planes_white_zero_and_premultiplied_alpha(tmp_path):
    values = noise(5, 7, 3, dtype="uint16")
    tifffile.imwrite(tmp_path / "a.tif", np.moveaxis(values, -1, 0).copy(), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(np.round(planes(read(tmp_path / "a.tif"))), values)
    tifffile.imwrite(tmp_path / "b.tif", values[..., 0], photometric="miniswhite")
    np.testing.assert_allclose(read(tmp_path / "b.tif").pixels, 1 - values[..., 0] / 65535, atol=1e-6)
    half = np.full((5, 7, 4), 32768, np.uint16)
    half[..., 0], half[0, 0] = 16384, 0
    tifffile.imwrite(tmp_path / "c.tif", half, photometric="rgb", extrasamples=["assocalpha"])
    picture = read(tmp_path / "c.tif")
    np.testing.assert_allclose(picture.pixels[1, 1], [0.5, 1, 1])
    np.testing.assert_array_equal(picture.pixels[0, 0], 0)


def test_compressed_tiff_of_one_channel_is_read_by_libtiff(tmp_path):
    values = noise(13, 7, dtype="uint16")
    Image.fromarray(values).save(tmp_path / "a.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(np.round(planes(read(tmp_path / "a.tif"))[..., 0]), values)


def test_compressed_deep_colour_is_refused_rather_than_cut_to_8_bits(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(13, 7, 3, dtype="uint16"), photometric="rgb")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(5)
    with pytest.raises(FileProblem, match="LZW compression, which needs the package imagecodecs"):
        read(tmp_path / "a.tif")


def test_floats_beyond_one_are_scaled_and_scaled_back(tmp_path):
    values = 4000 * noise(13, 7, dtype="float32")
    tifffile.imwrite(tmp_path / "a.tif", values)
    picture = read(tmp_path / "a.tif")
    assert picture.pixels.max() == 1
    write(tmp_path / "b.tif", picture.pixels, like=picture)
    np.testing.assert_allclose(tifffile.imread(tmp_path / "b.tif"), values, rtol=1e-6)
    tifffile.imwrite(tmp_path / "c.tif", np.float32([[0.2, 1.1], [-0.1, np.inf]]))  # overshoot is no other scale
    np.testing.assert_array_equal(read(tmp_path / "c.tif").pixels, np.float32([[0.2, 1.1], [-0.1, np.inf]]))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_and_not_left_behind(tmp_path, orientation, suffix):
    page = Image.fromarray(np.kron(noise(3, 2, dtype="uint8"), np.ones((16, 16), np.uint8)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    path = tmp_path / f"a{suffix}"
    page.save(path, exif=exif)
    if suffix == ".jpg":  # what Pillow's PNG reader and ImageOps make of it; its TIFF reader scrambles 5 to 8
        page = Image.open(path)
    page.getexif()[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(page))
    picture = read(path)
    assert picture.turned == (orientation != 1)
    np.testing.assert_array_equal(np.round(picture.pixels * 255), shown)
    write(path, picture.pixels, like=picture)
    with Image.open(path) as image:
        assert image.getexif().get(0x0112, 1) == 1
        assert suffix == ".tif" or image.getexif()[0x010F] == "Maker"
    assert read(path).pixels.shape == shown.shape


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_deep_tiff(tmp_path, orientation):
    values = noise(3, 2, dtype="uint16")
    tifffile.imwrite(tmp_path / "a.tif", values, extratags=[(274, 3, 1, orientation, True)])
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray((values >> 8).astype(np.uint8)).save(tmp_path / "b.png", exif=exif)
    assert read(tmp_path / "a.tif").turned == (orientation != 1)
    got = np.round(read(tmp_path / "a.tif").pixels * 65535).astype(int)
    np.testing.assert_array_equal(got >> 8, np.round(read(tmp_path / "b.png").pixels * 255))


def test_palette_bilevel_and_colour_key(tmp_path):
    colour = noise(8, 9, 3, dtype="uint8") // 86 * 127
    Image.fromarray(colour).quantize(27).save(tmp_path / "p.png")
    np.testing.assert_array_equal(np.round(read(tmp_path / "p.png").pixels * 255), colour)
    assert read(tmp_path / "p.png").alpha is None
    grey = noise(8, 9, dtype="uint8") // 16 * 17
    Image.fromarray(grey).convert("P").save(tmp_path / "g.gif")
    picture = read(tmp_path / "g.gif")
    assert picture.channel_axis is None
    np.testing.assert_array_equal(np.round(picture.pixels * 255), grey)
    keyed = Image.fromarray(colour).quantize(27)
    keyed.save(tmp_path / "k.png", transparency=keyed.getpixel((0, 0)))
    assert read(tmp_path / "k.png").alpha[0, 0] == 0
    assert read(tmp_path / "k.png").alpha.max() == 1
    bits = grey > 100
    for name in ("b.png", "b.tif"):
        Image.fromarray(bits).save(tmp_path / name)
        np.testing.assert_array_equal(read(tmp_path / name).pixels, bits.astype(np.float32))
        assert read(tmp_path / name).dtype == np.uint8


def test_cmyk_becomes_rgb(tmp_path):
    Image.new("CMYK", (6, 5), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    picture = read(tmp_path / "a.jpg")
    assert picture.pixels.shape == (5, 6, 3)
    assert picture.pixels[..., 0].min() > 0.9
    assert picture.pixels[..., 1:].max() < 0.2


def test_grey_saved_as_colour_is_grey(tmp_path):
    grey = np.arange(30, dtype=np.uint8).reshape(5, 6)
    for mode in ("RGB", "RGBA"):
        Image.fromarray(grey).convert(mode).save(tmp_path / "a.png")
        picture = read(tmp_path / "a.png")
        np.testing.assert_array_equal(picture.pixels, (grey / 255).astype(np.float32))
        assert picture.channel_axis is None


# ---- writing


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_depth_alpha_and_metadata_are_kept(tmp_path, channels, dtype, suffix):
    values = noise(13, 7, channels, dtype=dtype)
    (tmp_path / "a.png").write_bytes(png(values))
    picture = read(tmp_path / "a.png")
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    picture.metadata.update(dpi=(300.0, 300.0), icc_profile=b"profile" * 50, exif=exif.tobytes())
    path = tmp_path / f"b{suffix}"
    write(path, picture.pixels, like=picture)
    again = read(path)
    assert again.dtype == picture.dtype
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    assert (again.alpha is None) == (channels in (1, 3))
    if again.alpha is not None:
        np.testing.assert_array_equal(again.alpha, picture.alpha)
    assert again.metadata["dpi"] == pytest.approx((300, 300), rel=1e-3)
    assert again.metadata["icc_profile"] == b"profile" * 50
    if suffix == ".png":
        with Image.open(path) as image:
            assert image.getexif()[0x010F] == "Maker"


def test_formats_that_hold_less(tmp_path):
    pixels = noise(32, 24, 3, dtype="float32")
    deep = Picture(pixels, None, np.dtype(np.float32), 1.0)
    write(tmp_path / "a.png", pixels, like=deep)
    assert read(tmp_path / "a.png").dtype == np.uint16
    np.testing.assert_allclose(read(tmp_path / "a.png").pixels, pixels, atol=0.51 / 65535)
    smooth = np.linspace(0, 1, 32 * 24, dtype=np.float32).reshape(32, 24)
    write(tmp_path / "a.jpg", smooth, like=deep)
    np.testing.assert_allclose(read(tmp_path / "a.jpg").pixels, smooth, atol=0.03)
    write(tmp_path / "b.png", np.float32([[-1, 2]]))
    np.testing.assert_array_equal(read(tmp_path / "b.png").pixels, [[0, 1]])


def test_jpeg_drops_full_opacity_only(tmp_path):
    pixels = noise(8, 8, dtype="float32")
    write(tmp_path / "a.jpg", pixels, like=Picture(pixels, np.ones_like(pixels)))
    with pytest.raises(FileProblem, match="JPEG holds no transparency"):
        write(tmp_path / "b.jpg", pixels, like=Picture(pixels, pixels))
    assert not (tmp_path / "b.jpg").exists()


def test_permissions_follow_the_umask_and_links_stay(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    before = os.umask(0o027)
    try:
        write(tmp_path / "link.png", np.zeros((2, 2)))
    finally:
        os.umask(before)
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.png", "real.png"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing, error):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(*args):
        raise error

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises((FileProblem, KeyboardInterrupt)) as caught:
        write(path, np.zeros((2, 2)))
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


# ---- what is refused


def _broken(tmp_path):
    good = png(noise(40, 40, 3, dtype="uint16"))
    small = io.BytesIO()
    Image.fromarray(noise(60, 60, 3, dtype="uint8")).save(small, "JPEG")
    tiff = io.BytesIO()
    tifffile.imwrite(tiff, noise(40, 40, 3, dtype="uint16"), photometric="rgb")
    two = io.BytesIO()
    tifffile.imwrite(two, noise(2, 9, 9, dtype="uint16"), photometric="minisblack")
    frames = [Image.fromarray(noise(9, 9, dtype="uint8")) for _ in range(2)]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:])
    many = io.BytesIO()
    tifffile.imwrite(many, noise(9, 9, 5, dtype="uint16"), photometric="minisblack", planarconfig="contig")
    (tmp_path / "folder.png").mkdir()
    for name, data in {
        "cut.png": good[: len(good) // 2],
        "stub.png": good[:20],
        "cut.jpg": small.getvalue()[:900],
        "cut.tif": tiff.getvalue()[:-200],
        "stub.tif": tiff.getvalue()[:12],
        "two.tif": two.getvalue(),
        "many.tif": many.getvalue(),
        "complex.tif": b"",
        "text.png": b"Dear reader, this is no picture.\n",
        "empty.png": b"",
    }.items():
        (tmp_path / name).write_bytes(data)
    tifffile.imwrite(tmp_path / "complex.tif", np.zeros((4, 4), np.complex64))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.png", "cannot read .*: No such file or directory"),
        ("folder.png", "is a folder, not a picture"),
        ("empty.png", "is empty"),
        ("text.png", r"is not a picture of a kind that can be read \(PNG, JPEG, TIFF"),
        ("stub.png", "is not a picture|cannot be decoded"),
        ("cut.png", "cannot be decoded: image file is truncated"),
        ("cut.jpg", "cannot be decoded: image file is truncated"),
        ("cut.tif", "cannot be decoded: failed to read"),
        ("stub.tif", "cannot be decoded: "),
        ("two.tif", "holds 2 pictures, one is wanted"),
        ("two.gif", "holds 2 pictures, one is wanted"),
        ("many.tif", "grey or RGB is wanted"),
        ("complex.tif", "grey or RGB is wanted"),
    ],
)
def test_what_is_no_picture_gets_one_sentence(tmp_path, name, sentence):
    _broken(tmp_path)
    with pytest.raises(FileProblem, match=sentence) as caught:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_outputs_bound_to_fail_are_known_beforehand(tmp_path):
    (tmp_path / "there.png").touch()
    check_output(tmp_path / "new.JPG")
    check_output(tmp_path / "there.png", force=True)
    for name, sentence in {
        "there.png": "exists already; --force",
        "a.xyz": r"must end in one of \.png, \.jpg",
        "bare": "must end in one of",
        "no/where.png": "there is no folder",
        ".": "it is a folder",
    }.items():
        with pytest.raises(FileProblem, match=sentence):
            check_output(tmp_path / name)
    with pytest.raises(FileProblem, match="must end in one of"):
        write(tmp_path / "a.xyz", np.zeros((2, 2)))


@pytest.fixture
def read_only_folder():
    """A folder that the user running the test may not write to; root becomes nobody for the while."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_read_only_folder(read_only_folder):
    with pytest.raises(FileProblem, match=r"cannot write .*: the folder .* is read-only"):
        check_output(read_only_folder / "a.png")
    with pytest.raises(FileProblem, match=r"cannot write .*: Permission denied"):
        files.write(read_only_folder / "a.png", np.zeros((2, 2)))

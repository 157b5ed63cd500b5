"""Image files: read as floats with the metadata of a faithful copy, written completely or not at all.

Pillow decodes most files. It silently reduces colour of more than 8 bits to 8, so such files are read differently: TIFF
with tifffile, PNG with two passes of Pillow's own decoder.
"""

import contextlib
import dataclasses
import io
import logging
import os
import secrets
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

__all__ = ["WRITABLE", "FileProblem", "Picture", "check_output", "read", "replace", "write"]

_READABLE = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP")
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
_ORIENTATION = 0x0112
# What the decoders raise on a damaged file; tifffile has an error of its own, a ValueError since 2025.10 only.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, LookupError, struct.error, zlib.error)


class FileProblem(OSError):
    """A file cannot be read or written. The message is one sentence for the user."""


@dataclass(frozen=True)
class Picture:
    """An image and the metadata needed to write another like it.

    Attributes
    ----------
    pixels : numpy.ndarray, shape (M, N) or (M, N, 3)
        Grey or RGB as shown on a screen (the file's orientation applied), tone-encoded, 1 the white point; float32,
        or float64 where the file holds more than float32 can.
    alpha : numpy.ndarray, shape (M, N), or None
        Opacity, 0 to 1.
    dtype : numpy.dtype
        Type of the values in the file.
    white : float
        Value in the file that is 1 in `pixels`.
    turned : bool
        Whether the orientation in the file's metadata turned or mirrored the pixels.
    metadata : dict
        ``"dpi"`` (pair of float), ``"icc_profile"`` and ``"exif"`` (bytes), if the file has them.
    """

    pixels: Any
    alpha: Any = None
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))
    white: float = 255.0
    turned: bool = False
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def channel_axis(self) -> int | None:
        """Axis of the colours in `pixels`, None for grey."""
        return None if self.pixels.ndim == 2 else -1


def read(path: str | os.PathLike[str]) -> Picture:
    """Read an image in any of the usual formats.

    Parameters
    ----------
    path : str or path
        PNG, JPEG, TIFF, BMP, GIF or WebP file; grey, RGB or palette, with alpha or without; integers of 1 to 32
        bits or floats.

    Returns
    -------
    Picture
        Integers of up to 16 bits are scaled so that the largest value of their type is 1. Floats are assumed to lie in
        0 to 1 already, unless they exceed 2; then, as for wider integers, the largest value in the image becomes 1.

    Raises
    ------
    FileProblem
        If the file is missing, is not an image, is damaged, or holds more than one image.
    """
    path = Path(path)
    if path.is_dir():
        raise FileProblem(f"{path} is a folder, not a picture")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileProblem(f"cannot read {path}: {error.strerror}") from None
    if not data:
        raise FileProblem(f"{path} is empty")
    try:
        with warnings.catch_warnings():
            # Pillow warns about large images and odd metadata; neither concerns the user here.
            warnings.simplefilter("ignore")
            if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
                return _read_tiff(data, path)
            return _read_pillow(data, path)
    except FileProblem:
        raise
    except UnidentifiedImageError:
        raise FileProblem(f"{path} is not a picture of a kind that can be read ({', '.join(_READABLE)})") from None
    except Image.DecompressionBombError:
        raise FileProblem(f"{path} has more pixels than Pillow is willing to decode") from None
    except (*_DAMAGED, tifffile.TiffFileError) as error:
        raise FileProblem(f"{path} cannot be decoded: {error}") from None


def check_output(
    path: str | os.PathLike[str], *, force: bool = False, suffixes: tuple[str, ...] = tuple(WRITABLE)
) -> None:
    """Raise FileProblem if writing to `path` is bound to fail, before the long computation rather than after it.

    Parameters
    ----------
    path : str or path
        File to be written.
    force : bool
        Whether it may exist already.
    suffixes : tuple of str
        Allowed endings of its name.
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise FileProblem(f"cannot write {path}: it is a folder")
    if path.suffix.lower() not in suffixes:
        raise FileProblem(f"cannot write {path}: its name must end in one of {', '.join(suffixes)}")
    if not folder.is_dir():
        raise FileProblem(f"cannot write {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise FileProblem(f"cannot write {path}: the folder {folder} is read-only")
    if path.exists() and not force:
        raise FileProblem(f"{path} exists already; --force overwrites it")


def write(path: str | os.PathLike[str], pixels: Any, *, like: Picture | None = None) -> None:
    """Write an image in the format of the file name, with the depth, alpha and metadata of another.

    The file appears complete or not at all. TIFF keeps any type of values, PNG holds 8 or 16 bits, JPEG 8.

    Parameters
    ----------
    path : str or path
        File to write, ``.png``, ``.jpg`` or ``.tif``; replaced if it exists.
    pixels : numpy.ndarray, shape (M, N) or (M, N, 3)
        Image, 1 the white point. Values outside [0, 1] are clipped except in a float TIFF.
    like : Picture, optional
        Source of depth, alpha and metadata; by default 8 bits and no metadata.

    Raises
    ------
    FileProblem
        If the name has another ending, a JPEG would have to hold transparency, or the system refuses.
    """
    path = Path(path)
    like = Picture(pixels) if like is None else like
    kind = WRITABLE.get(path.suffix.lower())
    if kind is None:
        raise FileProblem(f"cannot write {path}: its name must end in one of {', '.join(WRITABLE)}")
    alpha = like.alpha
    if kind == "JPEG" and alpha is not None:
        if alpha.min() < 1:
            raise FileProblem(f"cannot write {path}: JPEG holds no transparency; choose .png or .tif")
        alpha = None
    planes = pixels if pixels.ndim == 3 else pixels[..., None]
    if alpha is not None:
        planes = np.concatenate([planes, alpha[..., None].astype(planes.dtype)], axis=-1)
    dtype, white = like.dtype, like.white
    if kind != "TIFF":
        deep = kind == "PNG" and dtype.itemsize > 1
        dtype = np.dtype(np.uint16 if deep else np.uint8)
        white = float(np.iinfo(dtype).max)
    values = _quantise(planes, dtype, white)
    encode = {"PNG": _encode_png, "JPEG": _encode_pillow, "TIFF": _encode_tiff}[kind]
    replace(path, encode(values, kind, like.metadata))


def _read_pillow(data: bytes, path: Path, undone: int = 1) -> Picture:
    """Read with Pillow, which itself undoes the orientation `undone` of a TIFF."""
    # From memory, because Pillow 13 scrambles the rows of a rotated TIFF opened by name.
    image: Any = Image.open(io.BytesIO(data), formats=_READABLE)
    # A phone's JPEG may carry a second image (depth, gain map); the first is the photograph.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise FileProblem(f"{path} holds {image.n_frames} pictures, one is wanted")
    deep = _deep_png(image, data)
    image.load()
    metadata, orientation = _metadata(image)
    if deep is not None:
        values = deep
    elif image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.format == "PNG":  # some versions of Pillow give 16 bits as 32
            values = values.astype(np.uint16)
    else:
        values = np.asarray(image.convert(_plain_mode(image)))
        if image.mode in ("P", "PA") and (values[..., :1] == values[..., :3]).all():
            values = values[..., [0, *range(3, values.shape[-1])]]
    if image.mode == "CMYK":
        metadata.pop("icc_profile", None)  # it describes inks
    picture = _picture(values, values.ndim == 3 and values.shape[-1] in (2, 4), orientation, metadata)
    return dataclasses.replace(picture, turned=_turns(undone) or picture.turned)


def _plain_mode(image: Any) -> str:
    """The mode among L, LA, RGB and RGBA that holds an 8-bit image without loss."""
    colours = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    return colours + "A" if image.has_transparency_data else colours


def _deep_png(image: Any, data: bytes) -> Any:
    """Values of a 16-bit PNG of several channels, which Pillow cuts to the high bytes; None for any other file.

    Read as little-endian, the same stream yields the low bytes.
    """
    tile = image.tile[0] if image.format == "PNG" and image.tile else None
    if tile is None or not isinstance(tile[3], str) or not tile[3].endswith(";16B") or image.mode.startswith("I"):
        return None
    size = image.size[::-1]
    if tile[3] == "LA;16B":
        # Two bytes of grey and two of opacity, filtered like RGBA pixels.
        quads = _decode_as(data, "RGBA", "RGBA")
        return quads.reshape(-1).view(">u2").reshape(*size, 2).astype(np.uint16)
    high, low = (_decode_as(data, image.mode, tile[3][:-1] + end) for end in "BL")
    return high.astype(np.uint16) << 8 | low


def _decode_as(data: bytes, mode: str, raw: str) -> Any:
    image: Any = Image.open(io.BytesIO(data))
    if image.mode != mode:
        raise ValueError(f"unexpected mode {image.mode} of a 16-bit PNG")
    image.tile = [(*image.tile[0][:3], raw)]
    return np.asarray(image)


def _read_tiff(data: bytes, path: Path) -> Picture:
    # tifffile logs an error before it raises it.
    logging.getLogger("tifffile").addHandler(logging.NullHandler())
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        if len(tiff.pages) != 1:
            raise FileProblem(f"{path} holds {len(tiff.pages)} pictures, one is wanted")
        page: Any = tiff.pages[0]
        orientation = page.tags.valueof("Orientation", 1)
        if page.bitspersample <= 8:
            return _read_pillow(data, path, orientation)
        try:
            values = page.asarray()
        except ValueError as error:
            # Rarer compressions need libtiff, which comes with Pillow; but Pillow would cut colours to 8 bits.
            if "imagecodecs" not in str(error):
                raise
            if page.samplesperpixel == 1:
                return _read_pillow(data, path, orientation)
            raise FileProblem(
                f"{path} is a TIFF of {page.bitspersample} bits with {page.compression.name} compression, "
                "which needs the package imagecodecs: pip install imagecodecs"
            ) from None
        if page.axes.startswith("S"):
            values = np.moveaxis(values, 0, -1)
        colours = page.samplesperpixel - len(page.extrasamples)
        if values.ndim not in (2, 3) or colours not in (1, 3) or len(page.extrasamples) > 1 or values.dtype.kind == "c":
            raise FileProblem(
                f"{path} is a TIFF of shape {values.shape} and type {values.dtype}; grey or RGB is wanted"
            )
        metadata: dict[str, Any] = {}
        if page.iccprofile is not None:
            metadata["icc_profile"] = bytes(page.iccprofile)
        if "XResolution" in page.tags:
            metadata["dpi"] = page.get_resolution(tifffile.RESUNIT.INCH)
        inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
        premultiplied = tifffile.EXTRASAMPLE.ASSOCALPHA in page.extrasamples
    picture = _picture(values, colours < page.samplesperpixel, orientation, metadata)
    pixels = 1 - picture.pixels if inverted else picture.pixels
    if premultiplied:
        alpha = picture.alpha.reshape(pixels.shape[:2] + (1,) * (pixels.ndim - 2))
        pixels = np.divide(pixels, alpha, out=np.zeros_like(pixels), where=alpha > 0)
    return dataclasses.replace(picture, pixels=pixels)


def _picture(values: Any, has_alpha: bool, orientation: int, metadata: dict[str, Any]) -> Picture:
    """Picture from a file's values (M, N) or (M, N, 1 to 4), whose last channel may be alpha."""
    values = _upright(values if values.ndim == 3 else values[..., None], orientation)
    dtype = values.dtype
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        white = float(np.iinfo(dtype).max)
    else:
        white = float(np.max(values, initial=0, where=np.isfinite(values)))
        if white <= 0 or (dtype.kind == "f" and white <= 2):
            white = 1.0
    # float32 holds integers of up to 24 bits.
    wide = np.float64 if dtype == np.float64 or (dtype.kind in "iu" and dtype.itemsize > 2) else np.float32
    scaled = values.astype(wide) / wide(white)
    alpha = scaled[..., -1] if has_alpha else None
    pixels = scaled[..., :-1] if has_alpha else scaled
    if np.array_equal(pixels[..., :1].repeat(pixels.shape[-1], -1), pixels):
        # Grey saved as colour: keeping one channel saves two thirds of the work and loses nothing.
        pixels = pixels[..., :1]
    pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    return Picture(pixels, alpha, dtype.newbyteorder("="), white, _turns(orientation), metadata)


def _metadata(image: Any) -> tuple[dict[str, Any], int]:
    """Metadata worth keeping of a loaded Pillow image, and its orientation."""
    metadata: dict[str, Any] = {}
    if image.info.get("icc_profile"):
        metadata["icc_profile"] = image.info["icc_profile"]
    with contextlib.suppress(TypeError, ValueError, ZeroDivisionError):
        dpi = tuple(float(d) for d in image.info["dpi"]) if "dpi" in image.info else ()
        if len(dpi) == 2 and all(0 < d < 1e6 for d in dpi):
            metadata["dpi"] = dpi
    orientation = 1
    with contextlib.suppress(OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error):
        exif = image.getexif()
        orientation = exif.pop(_ORIENTATION, 1)
        # For a TIFF, Pillow returns the whole directory as EXIF, including the strips.
        if len(exif) and image.format != "TIFF":
            metadata["exif"] = exif.tobytes()
    return metadata, orientation


def _turns(orientation: int) -> bool:
    return 1 < orientation <= 8


def _upright(values: Any, orientation: int) -> Any:
    """Rows and columns as displayed: EXIF orientations 5 to 8 are transposed, then all are combinations of flips."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values


def _quantise(planes: Any, dtype: np.dtype[Any], white: float) -> Any:
    if dtype.kind == "f":
        return (planes * white).astype(dtype)
    return np.round(np.clip(planes, 0, 1) * white).astype(dtype)


def _encode_pillow(values: Any, kind: str, metadata: dict[str, Any]) -> bytes:
    image = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    options: dict[str, Any] = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options, **metadata)
    return buffer.getvalue()


def _encode_png(values: Any, kind: str, metadata: dict[str, Any]) -> bytes:
    """PNG. Pillow cannot write 16-bit colour, so those files are assembled here (W3C PNG specification, section 11)."""
    if values.dtype == np.uint8:
        return _encode_pillow(values, kind, metadata)
    height, width, channels = values.shape
    rows = np.ascontiguousarray(values.astype(">u2")).view(np.uint8).reshape(height, -1)
    # Filter 2 ("up", differences to the row above) halves the compressed size of a smooth image.
    filtered = np.full((height, 1 + rows.shape[1]), 2, np.uint8)
    filtered[0, 1:] = rows[0]
    filtered[1:, 1:] = rows[1:] - rows[:-1]
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0))]
    if "icc_profile" in metadata:
        chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata["icc_profile"])))
    if "dpi" in metadata:
        chunks.append((b"pHYs", struct.pack(">IIB", *(round(d / 0.0254) for d in metadata["dpi"]), 1)))
    if "exif" in metadata:
        chunks.append((b"eXIf", metadata["exif"].removeprefix(b"Exif\0\0")))
    chunks += [(b"IDAT", zlib.compress(filtered.data)), (b"IEND", b"")]
    out = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return out


def _encode_tiff(values: Any, kind: str, metadata: dict[str, Any]) -> bytes:
    channels = values.shape[-1]
    options: dict[str, Any] = {"photometric": "rgb" if channels > 2 else "minisblack"}
    if channels in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    if channels > 1:
        options["planarconfig"] = "contig"
    if "icc_profile" in metadata:
        options["iccprofile"] = metadata["icc_profile"]
    if "dpi" in metadata:
        options |= {"resolution": metadata["dpi"], "resolutionunit": "inch"}
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        values[..., 0] if channels == 1 else values,
        compression="zlib",
        metadata=None,
        software=False,
        **options,
    )
    return buffer.getvalue()


def replace(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to the file `path` atomically; a failure leaves no partial file behind."""
    target = Path(os.path.realpath(path))  # write through a link, do not replace it
    temporary = target.with_name(f".deconv-{secrets.token_hex(6)}.part")
    try:
        # Unlike tempfile, a plain open gives the permissions of the user's umask.
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise FileProblem(f"cannot write {path}: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()

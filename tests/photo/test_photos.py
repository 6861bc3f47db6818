"""Photographs in files: every sample kept, upright; any other file is refused in one sentence."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from tunable_photo import photos, png, raster
from tunable_photo.photos import Photo, PhotoError, encode, read

KINDS = {"grey": 1, "grey and alpha": 2, "RGB": 3, "RGB and alpha": 4}
DEPTHS = {"8 bits": np.uint8, "16 bits": np.uint16}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photo(channels=3, depth=np.uint8, profile=None):
    shape, full = (9, 7, channels), np.iinfo(depth).max
    pixels = np.random.default_rng(0).integers(0, full, shape, depth, endpoint=True)
    return Photo(pixels, profile)


def written(path, photo):
    path.write_bytes(encode(photo, path.suffix))
    return path


def interlaced(pixels, rows=None):
    """A PNG of 16 bits with Adam7's seven passes, of which only some rows are there."""
    height, width, channels = pixels.shape
    found = []
    for x, y, across, down in png.PASSES:
        part = pixels[y::down, x::across]
        found += [b"\0" + row.astype(">u2").tobytes() for row in part if row.size]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 1)
    body = zlib.compress(b"".join(found[:rows]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def refused(path):
    """The one sentence with which a file is refused."""
    with pytest.raises(PhotoError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))
    return message.removeprefix(str(path)).lstrip(": ")


# What is kept


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff", ".PNG"])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_survives_writing_and_reading(tmp_path, kind, depth, suffix):
    first = photo(KINDS[kind], DEPTHS[depth])
    second = read(written(tmp_path / f"photo{suffix}", first))
    assert second.pixels.dtype == first.pixels.dtype
    np.testing.assert_array_equal(second.pixels, first.pixels)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_samples_may_lie_in_memory_in_any_order(tmp_path, kind, depth, suffix):
    pixels = photo(KINDS[kind], DEPTHS[depth]).pixels
    turned = Photo(np.moveaxis(np.moveaxis(pixels, 2, 0).copy(), 0, 2)[::-1])
    found = read(written(tmp_path / f"photo{suffix}", turned)).pixels
    np.testing.assert_array_equal(found, pixels[::-1])


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("kind", "mode"), [("grey", "L"), ("RGB", "RGB")])
def test_a_jpeg_holds_8_bits_in_the_same_colours(tmp_path, kind, mode, depth):
    flat = Photo(np.full((16, 16, KINDS[kind]), 0.6 * np.iinfo(DEPTHS[depth]).max, DEPTHS[depth]))
    path = written(tmp_path / "photo.jpg", flat)
    with Image.open(path) as image:
        assert image.mode == mode
    assert np.abs(read(path).pixels.astype(int) - 153).max() <= 1


@pytest.mark.parametrize("suffix", [suffix for suffix in photos.SUFFIXES if suffix != ".bmp"])
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_colour_profile_is_kept(tmp_path, depth, suffix):
    first = photo(3, DEPTHS[depth], PROFILE)
    path = written(tmp_path / f"photo{suffix}", first)
    assert read(path).profile == PROFILE
    with Image.open(path) as image:  # and other software reads it
        assert image.info["icc_profile"] == PROFILE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_photograph_is_put_upright(tmp_path, suffix, orientation):
    image = Image.fromarray(photo().pixels)
    exif = image.getexif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo{suffix}"
    image.save(path, exif=exif)
    with Image.open(path) as image:
        expected = np.array(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(read(path).pixels, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_of_16_bits_is_put_upright_as_one_of_8(tmp_path, orientation):
    first = photo()
    image = Image.fromarray(first.pixels)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / "8.png", exif=exif)
    wide = first.pixels.astype(np.uint16) * 257
    tag = (274, 3, 1, orientation, True)
    tifffile.imwrite(tmp_path / "16.tif", wide, photometric="rgb", extratags=[tag])
    expected = read(tmp_path / "8.png").pixels.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(tmp_path / "16.tif").pixels, expected)


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("P", 3), ("RGBA", 4), ("LA", 2), ("L", 1), ("RGB", 3)]
)
def test_every_common_mode_is_read(tmp_path, mode, channels):
    image = Image.fromarray(photo().pixels).convert(mode)
    image.save(tmp_path / "photo.png")
    assert read(tmp_path / "photo.png").pixels.shape == (9, 7, channels)


def test_a_palette_with_transparency_keeps_its_alpha(tmp_path):
    image = Image.fromarray(photo().pixels).quantize(8)
    image.save(tmp_path / "photo.png", transparency=0)
    with Image.open(tmp_path / "photo.png") as image:
        expected = np.array(image.convert("RGBA"))
    assert 0 in expected[..., 3]
    np.testing.assert_array_equal(read(tmp_path / "photo.png").pixels, expected)


def test_the_content_decides_and_not_the_extension(tmp_path):
    first = photo()
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(first, ".png"))
    np.testing.assert_array_equal(read(path).pixels, first.pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_an_interlaced_png_of_16_bits_is_read_without_a_word(tmp_path, capfd, channels):
    pixels = photo(channels, np.uint16).pixels
    (tmp_path / "photo.png").write_bytes(interlaced(pixels))
    np.testing.assert_array_equal(read(tmp_path / "photo.png").pixels, pixels)
    assert capfd.readouterr() == ("", "")


def test_a_truncated_interlaced_png_of_16_bits_is_refused(tmp_path):
    content = interlaced(photo(3, np.uint16).pixels, rows=5)
    (tmp_path / "photo.png").write_bytes(content)
    assert refused(tmp_path / "photo.png") == "is cut short"


def test_a_thumbnail_beside_the_photograph_in_a_tiff_is_left_out(tmp_path):
    for name, pixels in {"8": photo().pixels, "16": photo(3, np.uint16).pixels}.items():
        path = tmp_path / f"{name}.tif"
        with tifffile.TiffWriter(path) as tiff:
            tiff.write(pixels[::2, ::2], photometric="rgb", subfiletype=1)
            tiff.write(pixels, photometric="rgb")
            tiff.write(pixels[::4, ::4], photometric="rgb", subfiletype=1)
        np.testing.assert_array_equal(read(path).pixels, pixels)


@pytest.mark.parametrize("depth", DEPTHS)
def test_grey_whose_white_is_0_is_read_as_it_looks(tmp_path, depth):
    first = photo(1, DEPTHS[depth])
    inverted = (first.full - first.pixels)[..., 0]
    tifffile.imwrite(tmp_path / "photo.tif", inverted, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "photo.tif").pixels, first.pixels)


@pytest.mark.parametrize("depth", DEPTHS)
def test_colours_that_alpha_was_multiplied_into_are_divided_by_it(tmp_path, depth):
    full = np.iinfo(DEPTHS[depth]).max
    pixels = np.full((8, 8, 4), (0.1 * full, 0.2 * full, 0.4 * full, 0.5 * full), DEPTHS[depth])
    pixels[0] = 0
    tifffile.imwrite(tmp_path / "photo.tif", pixels, photometric="rgb", extrasamples=["assocalpha"])
    found = read(tmp_path / "photo.tif").pixels / full
    np.testing.assert_allclose(found[1:], np.full((7, 8, 4), (0.2, 0.4, 0.8, 0.5)), atol=0.01)
    assert not found[0].any()


def test_big_endian_and_planar_tiffs_are_read(tmp_path):
    pixels = photo(3, np.uint16).pixels
    planes = np.moveaxis(pixels, 2, 0)
    tifffile.imwrite(
        tmp_path / "photo.tif", planes, photometric="rgb", planarconfig="separate", byteorder=">"
    )
    np.testing.assert_array_equal(read(tmp_path / "photo.tif").pixels, pixels)


# What is refused


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_truncated_file_is_refused(tmp_path, suffix, depth, share):
    path = written(tmp_path / f"photo{suffix}", photo(3, DEPTHS[depth], PROFILE))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert refused(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"GIF89a" + bytes(40), b"II*\0" + bytes(40)])
def test_what_is_no_image_is_refused(tmp_path, content):
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    assert refused(path)


def bomb(width, height, bits):
    """The header of a PNG that claims to be so large."""
    header = struct.pack(">IIBBBBB", width, height, bits, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [8, 16])
def test_a_decompression_bomb_is_refused(tmp_path, bits):
    path = tmp_path / "photo.png"
    path.write_bytes(bomb(100_000, 100_000, bits))
    assert refused(path) == "has more than 179 million pixels"


def test_a_decompression_bomb_in_a_tiff_is_refused(tmp_path, monkeypatch):
    path = written(tmp_path / "photo.tif", photo(3, np.uint16))
    monkeypatch.setattr(raster, "MAX_PIXELS", 62)
    assert "million pixels" in refused(path)


def test_a_photograph_of_24_million_pixels_is_not_a_bomb(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(bomb(6000, 4000, 8))
    assert "million" not in refused(path)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_a_file_of_several_images_is_refused(tmp_path, suffix):
    frames = [Image.fromarray(photo().pixels), Image.fromarray(255 - photo().pixels)]
    path = tmp_path / f"photo{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert refused(path) == "holds 2 images: save the one you want to a file of its own"


@pytest.mark.parametrize(
    ("pixels", "sentence"),
    [
        (np.zeros((8, 8, 3), np.float32), "has floating-point samples of 32 bits: save it with 8 or 16"),
        (np.zeros((8, 8), np.float16), "has floating-point samples of 16 bits: save it with 8 or 16"),
        (np.zeros((8, 8), np.uint32), "has unsigned samples of 32 bits: save it with 8 or 16"),
        (np.zeros((8, 8), np.int16), "has signed samples of 16 bits: save it with 8 or 16"),
    ],
)
def test_a_tiff_of_other_samples_is_refused(tmp_path, pixels, sentence):
    kind = "rgb" if pixels.ndim == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "photo.tif", pixels, photometric=kind)
    assert refused(tmp_path / "photo.tif").startswith(sentence)


def test_12_bits_are_not_taken_for_16(tmp_path):
    tifffile.imwrite(tmp_path / "photo.tif", np.full((8, 8), 4095, np.uint16))
    with tifffile.TiffFile(tmp_path / "photo.tif", mode="r+") as tiff:
        tiff.pages[0].tags["BitsPerSample"].overwrite(12)
    assert refused(tmp_path / "photo.tif").startswith("has unsigned samples of 12 bits")


def test_a_mode_that_is_neither_grey_nor_rgb_is_refused(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(photo().pixels).convert("CMYK").save(path)
    assert refused(path) == "is of type CMYK: save it as grey or RGB, of 8 or 16 bits"


@pytest.mark.parametrize("name", ["photo.gif", "photo", "photo.exr"])
def test_another_extension_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(encode(photo(), ".png"))
    assert refused(tmp_path / name).startswith("the extension must be one of .png, .jpg")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert refused(tmp_path / "photo.png") == "does not exist"


@pytest.mark.parametrize(("suffix", "kind"), [(".jpg", "JPEG"), (".bmp", "BMP")])
def test_alpha_is_refused_where_the_format_has_none(tmp_path, suffix, kind):
    with pytest.raises(PhotoError, match=f"a {kind} has no alpha; write a PNG, a TIFF or a WebP"):
        photos.check_target(tmp_path / f"photo{suffix}", photo(4))


def test_a_profile_is_refused_where_the_format_has_none(tmp_path):
    with pytest.raises(PhotoError, match="a BMP holds no colour profile; write a PNG"):
        photos.check_target(tmp_path / "photo.bmp", photo(profile=PROFILE))


def test_sides_that_a_format_cannot_hold_are_refused(tmp_path):
    with pytest.raises(PhotoError, match="a WebP has at most 16383 pixels a side, not 18000"):
        photos.check_target(tmp_path / "photo.webp", photo(), scale=2000)
    photos.check_target(tmp_path / "photo.png", photo(), scale=2000)


def test_16_bits_without_imagecodecs_say_what_to_install(tmp_path, monkeypatch):
    path = written(tmp_path / "photo.png", photo(3, np.uint16))
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert "pip install 'tunable-core[photo]'" in refused(path)


def test_a_damaged_tiff_says_nothing_besides(tmp_path, capfd):
    path = written(tmp_path / "photo.tif", photo(3, np.uint16, PROFILE))
    path.write_bytes(path.read_bytes()[:-40])
    refused(path)
    assert capfd.readouterr() == ("", "")


def test_encoding_is_what_another_reader_decodes(tmp_path):
    first = photo(3, np.uint16, PROFILE)
    found = tifffile.imread(io.BytesIO(encode(first, ".tif")))
    np.testing.assert_array_equal(found, first.pixels)

"""What a photograph carries besides its pixels: EXIF data, print resolution, colours."""

import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from PIL.ExifTags import IFD

from tunable_photo import photos
from tunable_photo.photos import Photo, PhotoError, encode, read
from tunable_photo.raster import in_8_bits

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
DEPTHS = {"8 bits": np.uint8, "16 bits": np.uint16}
LINEAR = struct.pack(">I", 100_000)


def photo(depth=np.uint8, channels=3, **carried):
    return Photo(np.full((6, 8, channels), 100, depth), **carried)


@pytest.fixture
def jpeg(tmp_path):
    """A JPEG as a camera writes it: lying on its side, with a thumbnail."""
    exif = Image.Exif()
    exif[271], exif[274], exif[33432] = "Maker", 6, "Somebody"
    exif[282], exif[283], exif[296] = 72, 72, 2
    exif.get_ifd(IFD.Exif).update(
        {33434: (1, 250), 40961: 65535, 40962: 8, 40963: 6, 37510: b"a comment"}
    )
    exif.get_ifd(IFD.Exif)[int(IFD.Interop)] = {1: "R03"}
    exif.get_ifd(IFD.GPSInfo).update({1: "N", 2: (47.0, 8.0, 30.0)})
    content = bytearray(exif.tobytes())
    place, count = 6 + 8, struct.unpack_from("<H" if content[6:8] == b"II" else ">H", content, 14)[0]
    order = "<" if content[6:8] == b"II" else ">"
    thumbnail = b"\xff\xd8 a small picture \xff\xd9"
    end = len(content) - 6
    struct.pack_into(order + "I", content, place + 2 + 12 * count, end)
    content += struct.pack(order + "H", 2)
    content += struct.pack(order + "HHII", 513, 4, 1, end + 30) + struct.pack(
        order + "HHII", 514, 4, 1, len(thumbnail)
    )
    content += struct.pack(order + "I", 0) + thumbnail
    path = tmp_path / "camera.jpg"
    Image.new("RGB", (8, 6)).save(path, exif=bytes(content), dpi=(300, 300), icc_profile=PROFILE)
    assert b"a small picture" in path.read_bytes()
    return path


def rewritten(path, suffix, depth=np.uint8):
    """The photograph in another file, opened by another library."""
    found = read(path)
    pixels = found.pixels.astype(depth) * (257 if depth == np.uint16 else 1)
    target = path.with_name(f"copy{suffix}")
    target.write_bytes(encode(Photo(pixels, found.profile, found.exif, found.dpi), suffix))
    return target


def exif_of(path):
    """EXIF data as they stand in a file: the first directory, the exposure, the place."""
    exif = Image.Exif()
    if path.suffix == ".tif":
        with path.open("rb") as file, tifffile.TiffFile(file) as tiff:
            exif.endian = tiff.byteorder
            exif.load_from_fp(file, tiff.pages[0].offset)
            return dict(exif), dict(exif.get_ifd(IFD.Exif)), dict(exif.get_ifd(IFD.GPSInfo))
    with Image.open(path) as image:
        exif = image.getexif()
        return dict(exif), dict(exif.get_ifd(IFD.Exif)), dict(exif.get_ifd(IFD.GPSInfo))


KINDS = [(".jpg", "8 bits"), (".webp", "8 bits")]
KINDS += [(suffix, depth) for suffix in (".png", ".tif") for depth in DEPTHS]


@pytest.mark.parametrize(("suffix", "depth"), KINDS)
def test_exif_data_are_kept_in_every_format_that_has_them(jpeg, suffix, depth):
    first, exposure, place = exif_of(rewritten(jpeg, suffix, DEPTHS[depth]))
    assert (first[271], first[33432]) == ("Maker", "Somebody")
    assert exposure[33434] == pytest.approx(1 / 250) or exposure[33434] == (1, 250)
    assert place[2] == (47.0, 8.0, 30.0)


@pytest.mark.parametrize(("suffix", "depth"), KINDS)
def test_exif_data_survive_a_second_time(jpeg, suffix, depth):
    once = rewritten(jpeg, suffix, DEPTHS[depth])
    target = once.with_name("twice.jpg")
    target.write_bytes(encode(Photo(read(jpeg).pixels, exif=read(once).exif), ".jpg"))
    first, exposure, place = exif_of(target)
    assert first[271] == "Maker"
    assert exposure[37510] == b"a comment"
    assert place[1] == "N"


@pytest.mark.parametrize(("suffix", "depth"), KINDS)
def test_a_photograph_is_turned_once(jpeg, suffix, depth):
    once = read(rewritten(jpeg, suffix, DEPTHS[depth]))
    assert read(jpeg).pixels.shape == once.pixels.shape == (8, 6, 3)
    assert exif_of(rewritten(jpeg, suffix))[0].get(274, 1) == 1


@pytest.mark.parametrize(("suffix", "depth"), KINDS)
def test_a_thumbnail_is_dropped(jpeg, suffix, depth):
    assert b"a small picture" not in rewritten(jpeg, suffix, DEPTHS[depth]).read_bytes()


@pytest.mark.parametrize(("suffix", "depth"), KINDS)
def test_the_sides_in_exif_are_those_of_the_file(jpeg, suffix, depth):
    _, exposure, _ = exif_of(rewritten(jpeg, suffix, DEPTHS[depth]))
    assert (exposure[40962], exposure[40963]) == (6, 8)


def test_the_colour_space_in_exif_is_kept(jpeg):
    with Image.open(rewritten(jpeg, ".jpg")) as image:
        assert image.getexif().get_ifd(IFD.Exif)[40961] == 65535
        assert image.getexif().get_ifd(IFD.Interop) == {1: "R03"}


@pytest.mark.parametrize(("suffix", "depth"), [*KINDS, (".bmp", "8 bits")])
def test_the_print_resolution_is_kept(tmp_path, suffix, depth):
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(encode(photo(DEPTHS[depth], dpi=(300.0, 150.0)), suffix))
    assert read(path).dpi == pytest.approx((300, 150), abs=0.02)
    if suffix != ".webp" and (suffix, depth) != (".tif", "16 bits"):  # Pillow reads no dpi of these
        with Image.open(path) as image:
            assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_a_photograph_on_its_side_has_its_resolution_turned(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (8, 6)).save(tmp_path / "photo.jpg", exif=exif.tobytes(), dpi=(300, 150))
    assert read(tmp_path / "photo.jpg").dpi == (150, 300)


def test_a_resolution_in_centimetres_is_converted(tmp_path):
    for name, kind in (("8", np.uint8), ("16", np.uint16)):
        path = tmp_path / f"{name}.tif"
        pixels = photo(kind).pixels
        tifffile.imwrite(path, pixels, photometric="rgb", resolution=(100, 100), resolutionunit=3)
        assert read(path).dpi == pytest.approx((254, 254))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_file_without_a_resolution_gets_none(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    path.write_bytes(encode(photo(), suffix))
    assert read(path).dpi is None


def test_broken_exif_data_do_not_lose_the_photograph(tmp_path):
    Image.new("RGB", (8, 6)).save(tmp_path / "photo.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read(tmp_path / "photo.jpg").exif is None


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gAMA", LINEAR),
        ("cICP", bytes([9, 16, 0, 1])),
        ("sRGB", b"\0"),
        ("cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)),
    ],
)
def test_a_png_keeps_the_chunks_that_define_its_colours(tmp_path, depth, name, body):
    path = tmp_path / "photo.png"
    path.write_bytes(encode(photo(DEPTHS[depth], chunks={name: body}), ".png"))
    assert read(path).chunks == {name: body}


@pytest.mark.parametrize("name", ["out.jpg", "out.tif", "out.webp", "out.bmp"])
@pytest.mark.parametrize("chunks", [{"gAMA": LINEAR}, {"cICP": bytes([9, 16, 0, 1])}])
def test_colours_that_only_a_png_can_define_are_refused_elsewhere(tmp_path, name, chunks):
    with pytest.raises(PhotoError, match=rf"{name}: a \w+ cannot hold colours given by a \w+ chunk"):
        photos.check_target(tmp_path / name, photo(chunks=chunks))


@pytest.mark.parametrize(
    "carried",
    [
        {"chunks": {"sRGB": b"\0", "gAMA": struct.pack(">I", 45455)}},
        {"chunks": {"gAMA": struct.pack(">I", 45455)}},
        {"chunks": {"cICP": bytes([1, 13, 0, 1])}},
        {"chunks": {"gAMA": LINEAR}, "profile": PROFILE},  # the profile counts
    ],
)
def test_chunks_that_change_nothing_go_to_any_format(tmp_path, carried):
    photos.check_target(tmp_path / "out.jpg", photo(**carried))


def test_16_bits_are_rounded_to_8():
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(in_8_bits(levels), (levels / 257).round().astype(np.uint8))

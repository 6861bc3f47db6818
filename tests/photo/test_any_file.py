"""Any file or command line gives a photograph or an error of one sentence (property-based)."""

from __future__ import annotations

import functools
import io

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tunable_photo import cli, photos
from tunable_photo.photos import Photo, PhotoError

any_file = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
KINDS = [(".png", 8), (".png", 16), (".jpg", 8), (".tif", 8), (".tif", 16), (".webp", 8), (".bmp", 8)]


@functools.cache
def whole(suffix: str, depth: int) -> bytes:
    """A small photograph as a file."""
    kind = np.uint16 if depth == 16 else np.uint8
    pixels = np.random.default_rng(0).integers(0, 2**depth, (12, 17, 3), kind)
    exif = Image.Exif()
    exif[271] = "Maker"
    exif.get_ifd(0x8769)[33434] = (1, 250)
    chunks = {"gAMA": bytes([0, 0, 177, 143])}
    return bytes(photos.encode(Photo(pixels, b"profile", exif.tobytes(), (72.0, 72.0), chunks), suffix))


@st.composite
def spoilt(draw):
    """A file with its extension: a whole one with bytes changed, cut, doubled, or misnamed."""
    suffix, depth = draw(st.sampled_from(KINDS))
    content = bytearray(whole(suffix, depth))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(content) - 1))
        content[place] = draw(st.integers(0, 255))
    end = draw(st.one_of(st.just(len(content)), st.integers(0, len(content))))
    content = bytes(content[:end]) * draw(st.sampled_from([1, 1, 1, 2]))
    named = draw(st.sampled_from([suffix, suffix, ".png", ".jpg", ".tif", ".webp", ".bmp"]))
    return content, named


@any_file
@given(file=spoilt())
def test_a_file_is_a_photograph_or_a_sentence(tmp_path, file):
    content, suffix = file
    path = tmp_path / f"it{suffix}"
    path.write_bytes(content)
    try:
        photo = photos.read(path)
    except PhotoError as error:
        said = str(error)
        assert "\n" not in said
        assert str(path) in said
        return
    assert photo.pixels.ndim == 3
    assert photo.pixels.dtype in (np.uint8, np.uint16)
    assert photo.pixels.nbytes < 100_000_000


@any_file
@given(
    content=st.binary(max_size=300), suffix=st.sampled_from([".png", ".jpg", ".tif", ".webp", ".bmp"])
)
def test_bytes_of_any_kind_are_no_photograph(tmp_path, content, suffix):
    path = tmp_path / f"it{suffix}"
    path.write_bytes(content)
    with pytest.raises(PhotoError) as raised:
        photos.read(path)
    assert "\n" not in str(raised.value)


words = st.one_of(
    st.sampled_from(
        [
            "denoise",
            "sweep",
            "in.png",
            "out.png",
            "--omega",
            "--tile",
            "--run",
            "--force",
            "--steps",
            "--recursive",
            "--skip-existing",
            "--",
            "-out.png",
            ".",
        ]
    ),
    st.floats().map(str),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
)


@any_file
@given(line=st.lists(words, max_size=8))
@pytest.mark.slow
def test_a_command_line_ends_with_a_code_and_no_traceback(tmp_path, monkeypatch, capsys, line):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNABLE_RUNS", str(tmp_path / "store"))
    if not (tmp_path / "in.png").exists():
        buffer = io.BytesIO()
        Image.new("RGB", (9, 9)).save(buffer, "PNG")
        (tmp_path / "in.png").write_bytes(buffer.getvalue())
    before = (tmp_path / "in.png").read_bytes()
    try:
        code = cli.main(line)
    except SystemExit as end:
        code = end.code
    assert code in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err
    assert (tmp_path / "in.png").read_bytes() == before

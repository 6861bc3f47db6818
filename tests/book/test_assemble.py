"""The book is assembled from results, and an error in it fails the build."""

import json
import re
import shutil
from pathlib import Path

import assemble
import execute
import live_times
import nbformat
import numpy as np
import pages
import pytest
import single
import study_publication
from assemble import class_times, collect, pictures, stage
from conftest import result
from parameters import Fault
from PIL import Image
from places import shortened
from study_records import Executions, Nightly, Runs, commit, costs, duration
from study_results import text_of

RESULTS = {"01-toy": {"psnr": 34.123, "n": 3, "kodak": {"psnr": 1.5}, "none": None, "nan": float("nan")}}


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("01-toy:psnr:.1f", "34.1"),
        ("01-toy:n", "3"),
        ("01-toy:kodak.psnr:+.2f", "+1.50"),
    ],
)
def test_a_result_is_shown_in_its_format(reference, text):
    assert text_of(RESULTS, reference) == text


@pytest.mark.parametrize(
    "reference",
    [
        "02:psnr",
        "01-toy:ssim",
        "01-toy",
        "01-toy:n.x",
        "01-toy:none",
        "01-toy:nan",
        "01-toy:kodak",
        "01-toy:n:?",
    ],
)
def test_a_result_that_is_not_there_is_refused(reference):
    with pytest.raises((KeyError, ValueError)):
        text_of(RESULTS, reference)


def holding(*results: dict) -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("display_data", {pages.RESULTS: found}) for found in results]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[o]) for o in outputs])


def test_results_of_several_cells_come_together():
    assert collect(holding({"a": 1}, {"b": 2}), "01-toy") == {"a": 1, "b": 2}


def test_a_result_has_one_value():
    with pytest.raises(Fault, match="01-toy: the result a comes from two cells"):
        collect(holding({"a": 1}, {"a": 1}), "01-toy")


def test_a_page_names_places_relative_to_the_clone(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNABLE_DATA", str(tmp_path / "sets"))
    root, store = tmp_path / "clone", tmp_path / "store"
    said = f"{root}/data/registry.tsv, {tmp_path}/sets/kodak/1.png, {store}/runs/r and {root}"
    outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=said),
        nbformat.v4.new_output("display_data", {"text/html": f"<p>{said}</p>", "image/png": "iVBORw=="}),
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=outputs)])
    shown = shortened(made, root, store).cells[0].outputs
    expected = "data/registry.tsv, $TUNABLE_DATA/kodak/1.png, $TUNABLE_RUNS/runs/r and ."
    assert shown[0].text == expected
    assert shown[1].data == {"text/html": f"<p>{expected}</p>", "image/png": "iVBORw=="}


def test_without_git_on_the_path_the_book_is_built(project, notebook, with_book, monkeypatch, tmp_path):
    notebook(result(psnr=34.1))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert execute.main([], root=project) == 0
    assert "34.1" in (project / "book/_build/html/intro.html").read_text()


def test_a_named_figure_is_there_for_other_pages(tmp_path):
    output = nbformat.v4.new_output("display_data", {"image/png": "iVBORw=="})
    metadata = {"mystnb": {"figure": {"name": "fig-dial", "caption": "A dial."}}}
    named = nbformat.v4.new_code_cell("", metadata=metadata, outputs=[output])
    nameless = nbformat.v4.new_code_cell("", outputs=[output])
    pictures(nbformat.v4.new_notebook(cells=[named, nameless]), tmp_path / "figures")
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["fig-dial.png"]
    assert (tmp_path / "figures/fig-dial.png").read_bytes() == b"\x89PNG"


def test_pages_of_a_chapter_in_a_folder_are_staged_with_their_images(with_book):
    images = with_book / "book/controls/images"
    images.mkdir(parents=True)
    (images / "dni.svg").write_text("<svg/>")
    for name in ("index", "dni"):
        (with_book / f"book/controls/{name}.md").write_text("# Page\n")
    chapter = {"file": "controls/index", "sections": [{"file": "controls/dni"}]}
    toc = {"format": "jb-book", "root": "intro", "chapters": [chapter]}
    (with_book / "book/_toc.yml").write_text(json.dumps(toc))
    source = stage(with_book, with_book / "out", [], with_book / "data")
    staged = {path.relative_to(source).as_posix() for path in source.glob("controls/**/*.*")}
    assert staged == {"controls/index.md", "controls/dni.md", "controls/images/dni.svg"}


def test_a_record_with_nothing_in_it_still_makes_a_row():
    for table in (Runs, Executions, Nightly):
        assert {get({}) for get in table.columns.values()} <= {"", "0"}


def test_a_record_is_read_in_its_form():
    record = {"commit": "0123456789", "clean": False, "seconds": 125.4}
    assert (commit(record), duration(record)) == ("0123456*", "2:05")


@pytest.fixture
def build(with_book, capsys, monkeypatch):
    monkeypatch.delenv("TUNABLE_RUNS", raising=False)

    def call(*arguments: str) -> tuple[int, str]:
        code = execute.main([*arguments], root=with_book)
        return code, capsys.readouterr().err

    return call


def test_a_book_is_built_from_results_and_a_faulty_one_leaves_it(with_book, notebook, build):
    run = {"name": "toy", "key": "abc", "config": {"control": {"type": "TunableConfig"}}}
    folder = with_book / "data/runs/toy-abc"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(run))
    notebook(f"import sys\n{result(psnr=34.16)}\nprint('grum' + 'ble', file=sys.stderr)")
    assert build() == (0, "")
    html = with_book / "book/_build/html"
    intro, toy, runs = ((html / f"{n}.html").read_text() for n in ("intro", "01-toy", "runs"))
    assert "34.2</span> dB" in intro
    assert "grumble" not in toy
    assert "toy-abc" in runs
    assert "01-toy" in runs
    for page in html.glob("*.html"):
        assert not re.search(r"""(src|href)=["'](https?:)?//|unpkg|jsdelivr""", page.read_text()), page

    built = (html / "intro.html").stat().st_mtime_ns
    assert build() == (0, "")
    assert (html / "intro.html").stat().st_mtime_ns == built, (
        "nothing changed, so nothing is built again"
    )

    (with_book / "book/intro.md").write_text("# Intro\n\nOf {result}`01-toy:ssim` and [](nowhere).\n")
    code, text = build()
    assert code == 1
    assert "prints no result 'ssim'" in text
    assert "nowhere" in text
    assert (html / "intro.html").read_text() == intro


def test_a_published_book_says_what_it_is_and_where(with_book, notebook, build):
    notebook(result(psnr=34.16))
    root = Path(assemble.__file__).parents[1]
    shutil.copy(root / "CITATION.cff", with_book)
    config = with_book / "book/_config.yml"
    config.write_text(
        config.read_text().replace('baseurl: ""', 'baseurl: "https://book.example/study/"')
    )
    (with_book / "book/intro.md").write_text(
        f"# Intro\n\n{'A dial. ' * 10}\n\n```{{publication}}\n```\n"
    )
    assert build() == (0, "")
    html = with_book / "book/_build/html"
    intro, lost = (html / "intro.html").read_text(), (html / "404.html").read_text()
    assert '<link rel="canonical" href="https://book.example/study/intro.html"' in intro
    assert 'property="og:site_name" content="Tunable convolutions, an executable study"' in intro
    assert 'property="og:url" content="https://book.example/study/intro.html"' in intro
    assert 'property="og:image" content="https://book.example/study/preview.png"' in intro
    assert 'name="description" content="A dial.' in intro
    assert "10.1109/CVPR52729.2023.01748" in intro
    assert "not set yet" in intro  # the address of the code
    assert '<base href="/study/">' in lost
    assert "https://book.example/study/intro.html.md" in (html / "llms.txt").read_text()


def test_a_fault_in_a_notebook_names_its_cell(with_book, notebook, build):
    (with_book / "book/intro.md").write_text("# Intro\n")
    path = notebook()
    made = nbformat.read(path, as_version=4)
    made.cells += [nbformat.v4.new_markdown_cell("Of {result}`01-toy:ssim` dB.", id="last")]
    nbformat.write(made, path)
    code, text = build()
    assert code == 1
    assert "01-toy.ipynb, cell 3: WARNING: result '01-toy:ssim'" in text


def test_a_table_of_contents_that_names_no_page_is_refused(with_book, notebook, build):
    notebook("print(1)")
    (with_book / "book/_toc.yml").write_text(
        "format: jb-book\nroot: intro\nchapters:\n  - file: nowhere\n"
    )
    code, text = build()
    assert code == 1
    assert "lists 'nowhere'" in text


def test_every_file_that_a_page_includes_is_staged():
    book = Path(assemble.__file__).parent
    texts = "\n".join(path.read_text() for path in book.glob("*.md"))
    included = re.findall(r"^```\{(?:literal)?include\} (\S+)$", texts, re.MULTILINE)
    assert included
    assert all((book / name).is_file() for name in included)
    assert {Path(name).parts[0] for name in included} <= {*assemble.FOLDERS}


def test_costs_are_the_sums_over_all_records():
    runs = [
        {"seconds": 3600, "parameters": 10, "device": "CPU", "peak_memory_mb": 5},
        {"seconds": 1800, "parameters": 2000, "device": "GPU", "peak_memory_mb": 7},
    ]
    rows = costs(runs, [{"seconds": 720}], [{"seconds": 360, "machine": {"cpu": "Zen"}}])
    assert rows["total time of training"] == "1.5 hours"
    assert rows["total time of measuring"] == "0.2 hours"
    assert rows["trained on"] == "CPU, GPU"
    assert rows["parameters"].replace("\N{NARROW NO-BREAK SPACE}", "") == "10 to 2000"
    assert rows["largest memory of a training"] == "7 MB"
    assert rows["notebooks executed on"] == "Zen"


def test_costs_of_nothing_are_said_so():
    rows = costs([], [], [])
    assert rows["networks trained and released"] == "0"
    assert rows["parameters"] == "none"


def test_licences_count_each_file_once_under_its_first_set(tmp_path):
    head = "sets\tfile\tbytes\tsha256\turl\tlicence\n"
    rows = "a b\tx\t10\t0\thttps://x\tMIT\na\ty\t5\t0\thttps://y\tCC0\nc\tz\t1\t0\thttps://z\tMIT\n"
    (tmp_path / "registry.tsv").write_text(head + rows)
    assert assemble.licences(tmp_path / "registry.tsv") == [
        {"set": "a", "files": 2, "bytes": 15, "licences": ["CC0", "MIT"]},
        {"set": "c", "files": 1, "bytes": 1, "licences": ["MIT"]},
    ]


def test_the_preview_has_the_size_that_is_asked_for_and_is_light(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (300, 900, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((1800, 600)).save(tmp_path / "figure.png")
    assemble.preview(tmp_path / "figure.png", tmp_path / "preview.png")
    with Image.open(tmp_path / "preview.png") as made:
        assert made.size == (1200, 630)
    assert (tmp_path / "preview.png").stat().st_size < 1_000_000


def test_the_book_comes_on_one_page_and_as_a_pdf(with_book, notebook, build):
    notebook(result(psnr=34.5))
    assert build("--single")[0] == 0
    output = with_book / "book/_build"
    page = (output / "singlehtml/intro.html").read_text()
    assert "34.5</span> dB" in page
    assert "Toy" in page
    if single.printer():
        assert (output / "html/book.pdf").read_bytes().startswith(b"%PDF")
    assert not list(output.rglob("*.part"))


def test_the_home_page_links_the_pdf_where_there_is_one(with_book):
    shutil.copy(Path(assemble.__file__).parents[1] / "CITATION.cff", with_book)
    (with_book / "book/_toc.yml").write_text("format: jb-book\nroot: intro\n")
    for pdf, linked in [("book.pdf", True), ("", False)]:
        about = study_publication.read(stage(with_book, with_book / "out", [], with_book, pdf=pdf))
        facts = [node.astext() for line in study_publication.lines(about) for node in line]
        assert ("The whole book as a PDF" in facts) == linked


def test_one_page_needs_a_book(tmp_path):
    with pytest.raises(Fault, match="no built book"):
        single.build(tmp_path)


def test_the_times_of_a_class_have_names(tmp_path):
    rows = [(1, "one", 40.0), (1, "default", 50.0), (4, "one", 90.0), (4, "default", 400.0)]
    path = tmp_path / "class-cpu.json"
    names = ("students", "threads", "seconds")
    path.write_text(json.dumps({"rows": [dict(zip(names, row, strict=True)) for row in rows]}))
    assert class_times(path) == {
        "students": 4,
        "alone_one": 40.0,
        "alone_default": 50.0,
        "shared_one": 90.0,
        "shared_default": 400.0,
    }
    assert class_times(tmp_path / "none") == {}


def test_each_time_of_a_frame_knows_what_it_was_measured_on(tmp_path):
    record = {"browser": "Chromium 1", "rows": [{"network": "one", "ms": 3.0}]}
    (tmp_path / "live.json").write_text(json.dumps(record))
    assert assemble.frames(tmp_path / "live.json") == [
        {"network": "one", "ms": 3.0, "on": {"browser": "Chromium 1"}}
    ]
    assert assemble.frames(tmp_path / "none.json") == []


def test_the_time_of_a_frame_is_the_least_of_the_processor():
    model = {"title": "one", "run": "a", "side": 128}
    onnx = {"clock": [40.0, 60.0, 50.0], "processor": [22.0, 22.0]}
    found = live_times.row(model, {"page": {"clock": [10, 90, 30], "processor": [12, 11]}, "onnx": onnx})
    assert (found["ms"], found["clock_ms"], found["onnx_ms"], found["ratio"]) == (11, 30, 22, 2)
    only = live_times.row(model, {"onnx": onnx})
    assert (only["ms"], only["onnx_clock_ms"], only["ratio"]) == (22, 50, 1)

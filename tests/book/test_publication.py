"""The book as a publication: authors, date, version, how to cite; and its pages for programs."""

from pathlib import Path

import llms
import publication
import pytest
import study_publication
import study_tables
import yaml

ROOT = Path(__file__).resolve().parents[2]
ABOUT = publication.publication(ROOT)


def test_the_book_names_authors_date_version_and_paper():
    assert ABOUT["authors"]
    assert ABOUT["version"]
    assert ABOUT["paper"]["arxiv"] == "2304.00898"
    assert ABOUT["paper"]["doi"].startswith("10.1109/")
    assert len(ABOUT["date"]) == len("2026-01-31")
    assert publication.settings(ABOUT) == {
        "title": ABOUT["title"],
        "author": ", ".join(ABOUT["authors"]),
    }


def test_without_a_citation_a_book_says_nothing_of_itself(tmp_path):
    assert publication.publication(tmp_path) == {}
    assert publication.settings({}) == {}
    assert study_publication.end({}) == ""


def test_without_git_the_date_is_that_of_the_release(monkeypatch):
    monkeypatch.setenv("PATH", "")
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert publication.publication(ROOT)["date"] == str(cited["date-released"])


def test_what_is_cited_is_the_paper_and_this_book():
    from pybtex.database import parse_string

    entries = parse_string(ABOUT["bibtex"], "bibtex").entries
    paper, book = entries["maggioni2023tunable"], entries["tunablestudy"]
    assert paper.fields["doi"] == ABOUT["paper"]["doi"]
    assert len(paper.persons["author"]) == len(ABOUT["paper"]["authors"])
    assert ABOUT["version"] in book.fields["note"]


@pytest.mark.parametrize("code", ["", "https://code.example/study"])
def test_a_book_without_the_address_of_its_code_says_what_is_missing(code):
    words = "".join(
        node.astext() for line in study_publication.lines(ABOUT | {"code": code}) for node in line
    )
    assert ("not set yet" in words) == (not code)
    assert "arXiv 2304.00898" in words


def test_every_entry_of_the_bibliography_can_be_found_by_its_address():
    from pybtex.database import parse_file

    entries = parse_file(str(ROOT / "book/references.bib")).entries
    assert not [
        key for key, entry in entries.items() if not {"doi", "url", "eprint"} & set(entry.fields)
    ]
    doi = [entry.fields["doi"] for entry in entries.values() if "doi" in entry.fields]
    assert all(one.startswith("10.") for one in doi)
    assert len(set(doi)) == len(doi)


PAGE = """<article class="bd-article"><section><h1>Dial<a class="headerlink" href="#x">#</a></h1>
<p>It is <span class="result">34.2</span> dB at <span class="math">\\(\\omega\\)</span>.
See <a href="b.html">b</a>.</p>
<div class="math">\\[x = 1\\]</div>
<div class="highlight"><pre>a = 1
</pre></div>
<ul><li><p>one</p></li><li>two</li></ul>
<figure><img alt="A dial." src="d.webp">
<figcaption><p><span>Fig. 1</span> <em>It</em> turns.</p></figcaption></figure>
<table><tr><th rowspan="2">m</th><th colspan="2">dB</th></tr>
<tr><th>a</th><th>b</th></tr>
<tr><td>T</td><td>1</td><td>2</td></tr></table>
<script>no()</script></section></article>"""
TEXT = """# Dial

It is 34.2 dB at $\\omega$. See [b](b.html).

$$x = 1$$

```
a = 1
```

- one
- two

![A dial.](d.webp)

Fig. 1 *It* turns.

| m | dB | dB |
|---|---|---|
| m | a | b |
| T | 1 | 2 |
"""


def test_a_page_as_markdown_holds_its_numbers_formulas_tables_and_pictures():
    assert llms.markdown(PAGE) == ("Dial", TEXT)


@pytest.mark.parametrize("address", ["", "https://book.example/"])
def test_the_list_for_programs_names_each_page_with_a_sentence(tmp_path, address):
    (tmp_path / "dial.html").write_text(PAGE)
    llms.write(tmp_path, ["dial", "not-there"], {"title": "T", "description": "D", "book": address})
    assert (tmp_path / "dial.html.md").read_text() == TEXT
    assert (tmp_path / "llms.txt").read_text() == (
        f"# T\n\n> D\n\n## Pages\n\n- [Dial]({address}dial.html.md): It is 34.2 dB at $\\omega$.\n"
    )


def test_names_of_files_in_tables_break_after_their_separators():
    def code(text):
        return f'<code><span class="pre">{text}</span></code>'

    context = {"body": f"<p>{code('a/b_c')}</p><td>{code('data/a_b.csv')} x/y, {code('data/')}</td>"}
    study_tables.breakable(None, "", "", context, None)
    assert context["body"] == (
        f"<p>{code('a/b_c')}</p><td>{code('data/<wbr>a_<wbr>b.csv')} x/y, {code('data/')}</td>"
    )

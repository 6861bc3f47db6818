"""The publication data of the book: authors, date, version, licence, paper, how to cite.

They come from CITATION.cff and, if the book and the code are published, from the two addresses
in book/_config.yml: html.baseurl and repository.url. stage() of assemble.py writes it to
publication.json, which the directive `publication` and the end of every page show.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml

NAME = "publication.json"
"""The file in the staging folder."""


def publication(root: Path) -> dict[str, Any]:
    """Title, description, authors, version, licence, date, addresses, paper; {} without CITATION.cff."""
    path = root / "CITATION.cff"
    if not path.exists():
        return {}
    cited = yaml.safe_load(path.read_text(encoding="utf-8"))
    config = yaml.safe_load((root / "book/_config.yml").read_text(encoding="utf-8"))
    paper = cited["preferred-citation"]
    arxiv = [one["value"].removeprefix("arXiv:") for one in paper.get("identifiers", [])]
    about = {
        "title": cited["title"],
        "description": " ".join(cited["abstract"].split()),
        "authors": [name(author) for author in cited["authors"]],
        "version": str(cited["version"]),
        "licence": cited["license"],
        "date": committed(root) or str(cited["date-released"]),
        "book": config["html"]["baseurl"],
        "code": config["repository"]["url"],
        "paper": {
            "title": paper["title"],
            "authors": [name(author) for author in paper["authors"]],
            "venue": paper["collection-title"],
            "year": paper["year"],
            "pages": f"{paper['start']}--{paper['end']}" if "start" in paper else "",
            "doi": paper.get("doi", ""),
            "arxiv": arxiv[0] if arxiv else "",
        },
    }
    return about | {"bibtex": bibtex(about)}


def name(author: dict[str, str]) -> str:
    """An author of CITATION.cff, given name first."""
    return author.get("name") or f"{author['given-names']} {author['family-names']}"


def committed(root: Path) -> str:
    """The date of the commit that is checked out, as 2026-01-31; "" without git or outside a clone."""
    command = ["git", "-C", str(root), "log", "-1", "--format=%cs"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def settings(about: dict[str, Any]) -> dict[str, Any]:
    """The settings of Jupyter Book that depend on these data."""
    if not about:
        return {}
    return {"title": about["title"], "author": ", ".join(about["authors"])}


def bibtex(about: dict[str, Any]) -> str:
    """BibTeX entries of the paper and this book."""
    paper = about["paper"]
    entries = [
        _entry("inproceedings", "maggioni2023tunable", {
            "title": paper["title"],
            "author": " and ".join(paper["authors"]),
            "booktitle": paper["venue"],
            "pages": paper["pages"],
            "year": str(paper["year"]),
            "doi": paper["doi"],
        }),
        _entry("misc", "tunablestudy", {
            "title": about["title"],
            "author": "{" + " and ".join(about["authors"]) + "}",
            "year": about["date"][:4],
            "note": f"Version {about['version']}, {about['date']}",
            "url": about["book"] or about["code"],
        }),
    ]  # fmt: skip
    return "\n\n".join(entries)


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    lines = [f"  {field} = {{{value}}}," for field, value in fields.items() if value]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])

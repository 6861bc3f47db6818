"""A tunable network is uploaded to a hub and loaded again; the hub's transfers are mocked."""

import shutil
import sys
from types import SimpleNamespace

import pytest
import torch
from residual import Residual

from tunable_core import Tunable

NAME = "somebody/denoiser"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that replaces the repository NAME on the hub."""
    huggingface_hub = pytest.importorskip("huggingface_hub")
    place = tmp_path / "repository"

    def create_repo(self, repo_id, *, private=None, exist_ok=False):
        assert (repo_id, private, exist_ok) == (NAME, True, True)
        place.mkdir(exist_ok=True)
        return SimpleNamespace(repo_id=repo_id)

    def upload_folder(self, *, repo_id, folder_path, ignore_patterns, **options):
        left_out = shutil.ignore_patterns(*ignore_patterns or ())
        shutil.copytree(folder_path, place, dirs_exist_ok=True, ignore=left_out)
        return f"https://hub/{repo_id}"

    def snapshot_download(repo_id, *, allow_patterns, revision=None):
        assert (repo_id, revision) == (NAME, "v1")
        return str(place)

    def file_exists(repo_id, filename, *, revision=None, token=None):
        return (place / filename).exists()

    for replaced in (create_repo, upload_folder):
        monkeypatch.setattr(huggingface_hub.HfApi, replaced.__name__, replaced)
    for replaced in (snapshot_download, file_exists):
        monkeypatch.setattr(huggingface_hub, replaced.__name__, replaced)
    return place


def test_a_pushed_network_comes_back(hub):
    model, x = Tunable(Residual(1, 4), p=2), torch.rand(1, 3, 8, 8)
    assert model.push_to_hub(NAME, private=True, commit_message="first") == f"https://hub/{NAME}"
    assert {path.name for path in hub.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    again = Tunable.from_pretrained(NAME, revision="v1")
    assert torch.equal(again(x, [0.3, 0.8]), model(x, [0.3, 0.8]))


def test_a_card_that_the_repository_has_stays(hub):
    hub.mkdir()
    (hub / "README.md").write_text("mine")
    Tunable(Residual(1, 4), p=2).push_to_hub(NAME, private=True)
    assert (hub / "README.md").read_text() == "mine"


def test_a_folder_needs_no_hub(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    folder = Tunable(Residual(1, 4), p=2).save(tmp_path)
    assert Tunable.from_pretrained(folder).p == 2
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        Tunable.from_pretrained(NAME)

"""A tunable network goes to a hub and comes back; nothing is sent: the hub's transfers are replaced."""

import shutil
import sys

import pytest
import torch

from tunable_core import Tunable
from tunable_core.resnet import ResNet

NAME = "somebody/denoiser"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that stands for the repository NAME on the hub."""
    huggingface_hub = pytest.importorskip("huggingface_hub")
    place = tmp_path / "repository"

    def create_repo(repo_id, *, token=None, exist_ok=False):
        assert (repo_id, exist_ok) == (NAME, True)
        place.mkdir(exist_ok=True)
        return f"https://hub/{repo_id}"

    def upload_folder(*, repo_id, folder_path, commit_message=None):
        shutil.copytree(folder_path, place, dirs_exist_ok=True)

    def snapshot_download(repo_id, *, allow_patterns, revision=None):
        assert (repo_id, revision) == (NAME, "v1")
        return str(place)

    def file_exists(repo_id, filename, *, revision=None, token=None):
        return (place / filename).exists()

    for replaced in (create_repo, upload_folder, snapshot_download, file_exists):
        monkeypatch.setattr(huggingface_hub, replaced.__name__, replaced)
    return place


def test_a_pushed_network_comes_back(hub):
    model, x = Tunable(ResNet(1, 4), p=2), torch.rand(1, 3, 8, 8)
    assert model.push_to_hub(NAME, commit_message="first") == f"https://hub/{NAME}"
    assert {path.name for path in hub.iterdir()} == {"config.json", "model.safetensors", "README.md"}
    again = Tunable.from_pretrained(NAME, revision="v1")
    assert torch.equal(again(x, [0.3, 0.8]), model(x, [0.3, 0.8]))


def test_a_card_that_the_repository_has_stays(hub):
    hub.mkdir()
    (hub / "README.md").write_text("mine")
    Tunable(ResNet(1, 4), p=2).push_to_hub(NAME)
    assert (hub / "README.md").read_text() == "mine"


def test_a_folder_needs_no_hub(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    folder = Tunable(ResNet(1, 4), p=2).save(tmp_path)
    assert Tunable.from_pretrained(folder).p == 2
    with pytest.raises(ImportError, match="pip install huggingface_hub"):
        Tunable.from_pretrained(NAME)

"""torchvision is imported with any build of torch, and its other errors are not hidden."""

import importlib
import sys
from types import ModuleType

import pytest
import torch

from study.networks import torchvision_import
from study.networks.torchvision_import import import_torchvision


@pytest.fixture
def imports(monkeypatch):
    """imports(error): the first import leaves a submodule behind and raises, the second succeeds."""
    whole, declared = ModuleType("torchvision"), []
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)

    def begin(error):
        def once(name):
            monkeypatch.setattr(importlib, "import_module", lambda name: whole)
            monkeypatch.setitem(sys.modules, "torchvision.extension", ModuleType(name))
            raise error

        monkeypatch.setattr(importlib, "import_module", once)
        monkeypatch.setattr(torch.library, "define", lambda name, schema: declared.append(name))
        return whole, declared

    return begin


def test_the_operators_that_are_unknown_are_declared_and_the_import_begun_anew(imports):
    whole, declared = imports(RuntimeError(torchvision_import.UNKNOWN))
    assert import_torchvision() is whole
    assert declared == ["torchvision::nms", "torchvision::qnms"]
    assert "torchvision.extension" not in sys.modules


@pytest.mark.parametrize("error", [RuntimeError("another"), ImportError("no torchvision")])
def test_any_other_error_is_raised(imports, error):
    _, declared = imports(error)
    with pytest.raises(type(error), match=str(error)):
        import_torchvision()
    assert not declared


def test_the_installed_torchvision_has_alexnet():
    assert import_torchvision().models.alexnet

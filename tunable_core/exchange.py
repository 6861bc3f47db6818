"""Call a module with other tensors in place of some of its parameters, from any number of threads.

torch.func.functional_call puts the tensors into the module and takes them out again. So two calls at
once corrupt the module, and gradient checkpointing, which runs parts of the network again during the
backward pass, finds the wrong tensors. Here each call gets its own skeleton: a shallow clone of the
module that holds the tensors. The module itself is not changed.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_not
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


class Exchange:
    """Calls a module with given tensors as its parameters `names`, in that order.

    A shared parameter is exchanged in every place. Buffers, hooks and all other attributes are those of
    the module; attributes that forward sets are copied to the module after the call.
    Hooks receive the skeleton as their module. Under torch.compile and torch.export functional_call is
    used instead, with the same result.
    """

    def __init__(self, module: nn.Module, names: Sequence[str]) -> None:
        self.names = list(names)
        self.places = _places(module, self.names)
        self._plan: _Plan | None = None

    def current(self, module: nn.Module) -> list[Tensor]:
        """The module's own parameters `names`."""
        if torch.compiler.is_compiling():
            parameters = dict(module.named_parameters(remove_duplicate=False))
            return [parameters[name] for name in self.names]
        return self._planned(module).current()

    def __call__(
        self,
        module: nn.Module,
        exchanged: Callable[[list[Tensor]], Sequence[Tensor]],
        inputs: tuple,
        options: dict[str, Any],
    ) -> Any:
        """module(*inputs, **options) with exchanged(current) in place of its current parameters."""
        if torch.compiler.is_compiling():
            tensors = exchanged(self.current(module))
            given = {name: tensors[i] for name, i in self.places}
            return functional_call(module, given, inputs, options, tie_weights=False)
        plan = self._planned(module)
        clones = plan.clones(exchanged(plan.current()))
        before = [[held.copy() for held in _contents(clone)] for clone in clones]
        try:
            return clones[0](*inputs, **options)
        finally:
            plan.write_back(clones, before)

    def skeleton(self, module: nn.Module, tensors: Sequence[Tensor]) -> nn.Module:
        """A shallow clone of the module that holds the tensors and shares everything else."""
        return self._planned(module).clones(tensors)[0]

    def _planned(self, module: nn.Module) -> _Plan:
        plan = self._plan
        if plan is None or not plan.fits(module):
            plan = self._plan = _plan(module, self.names, self.places)
        return plan

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_plan": None}


@dataclass(frozen=True)
class _Plan:
    """The modules that a skeleton clones: those with an exchanged tensor, and the path to each."""

    modules: list[nn.Module]
    """The modules to clone; the first is the root."""
    submodules: list[dict[str, nn.Module | None]]
    """The submodules of each when the plan was made."""
    children: list[list[tuple[str, int]]]
    """The cloned submodules of each: name, and position in modules."""
    tensors: list[list[tuple[str, int]]]
    """The exchanged parameters of each: name, and position among the tensors."""
    links: list[list[str]]
    """Other attributes of each through which a cloned module can be reached, such as a bound method."""
    owners: list[tuple[nn.Module, str]]
    """Layer and name of the original parameter of each tensor."""
    shared: dict[int, Any]
    """Other objects that the links reach, by id; they are not cloned."""

    def fits(self, module: nn.Module) -> bool:
        """Whether the plan was made for this module with these layers."""
        return self.modules[0] is module and [m._modules for m in self.modules] == self.submodules

    def current(self) -> list[Tensor]:
        """The module's own parameters."""
        return [owner._parameters[name] for owner, name in self.owners]  # type: ignore[misc]  # no None

    def clones(self, tensors: Sequence[Tensor]) -> list[nn.Module]:
        """Clones of the modules, linked to each other."""
        clones = [object.__new__(type(module)) for module in self.modules]
        for clone, module, children, places in zip(
            clones, self.modules, self.children, self.tensors, strict=True
        ):
            state = module.__dict__.copy()
            state["_parameters"] = state["_parameters"] | {name: tensors[i] for name, i in places}
            state["_modules"] = state["_modules"] | {name: clones[i] for name, i in children}
            object.__setattr__(clone, "__dict__", state)
        if any(self.links):
            memo = {id(m): clone for m, clone in zip(self.modules, clones, strict=True)} | self.shared
            for clone, links in zip(clones, self.links, strict=True):
                for name in links:
                    clone.__dict__[name] = copy.deepcopy(clone.__dict__[name], memo)
        return clones

    def write_back(self, clones: list[nn.Module], before: list[list[dict]]) -> None:
        """Copy the attributes that a call has set on the clones to the modules."""
        for module, clone, places, old in zip(self.modules, clones, self.tensors, before, strict=True):
            for target, then, now in zip(_contents(module), old, _contents(clone), strict=True):
                if len(then) == len(now) and not any(map(is_not, then.values(), now.values())):
                    continue
                taken = dict(places) if target is module._parameters else ()
                own = {id(c): m for m, c in zip(self.modules, clones, strict=True)}
                for name, value in now.items():
                    if then.get(name, then) is not value and name not in taken:
                        target[name] = own.get(id(value), value)
                for name in then.keys() - now.keys():
                    target.pop(name, None)


def _contents(module: nn.Module) -> tuple[dict, dict, dict]:
    return module.__dict__, module._parameters, module._modules


def _place(module: nn.Module, name: str) -> tuple[nn.Module, str]:
    """The layer that holds the parameter of a dotted name, and its name there."""
    owner, _, attribute = name.rpartition(".")
    try:
        layer = module.get_submodule(owner)
        layer._parameters[attribute]
    except (AttributeError, KeyError) as error:
        raise RuntimeError(
            f"the network no longer has a parameter '{name}'; change the network before you wrap it"
        ) from error
    return layer, attribute


def _places(module: nn.Module, names: Sequence[str]) -> list[tuple[str, int]]:
    """Each place that holds one of the parameters `names`: dotted name, and position in names."""
    position = {id(module.get_parameter(name)): i for i, name in enumerate(names)}
    places, seen = [], set()
    for name, value in module.named_parameters(remove_duplicate=False):
        layer, attribute = _place(module, name)
        if id(value) in position and (id(layer), attribute) not in seen:
            seen.add((id(layer), attribute))
            places.append((name, position[id(value)]))
    return places


def _plan(module: nn.Module, names: Sequence[str], places: Sequence[tuple[str, int]]) -> _Plan:
    tree = list(module.modules())
    ids = {id(m) for m in tree}
    held: dict[int, dict[str, set[int]]] = {id(m): {} for m in tree}  # attribute: modules it reaches
    shared: dict[int, Any] = {}
    for m in tree:
        for name, value in m.__dict__.items():
            if name not in _OWN:
                reached: dict[int, Any] = {}
                _reach(value, reached)
                if found := reached.keys() & ids:
                    held[id(m)][name] = found
                    shared |= {i: v for i, v in reached.items() if i not in ids}
    tensors: dict[int, list[tuple[str, int]]] = {id(module): []}
    for name, i in places:
        layer, attribute = _place(module, name)
        tensors.setdefault(id(layer), []).append((attribute, i))
    needed = set(tensors)
    while more := {
        id(m)
        for m in tree
        if id(m) not in needed
        and needed & {id(child) for child in m._modules.values()}.union(*held[id(m)].values())
    }:
        needed |= more
    modules = [m for m in tree if id(m) in needed]
    position = {id(m): i for i, m in enumerate(modules)}
    return _Plan(
        modules,
        [m._modules.copy() for m in modules],
        [[(n, position[id(c)]) for n, c in m._modules.items() if id(c) in position] for m in modules],
        [tensors.get(id(m), []) for m in modules],
        [[n for n, reached in held[id(m)].items() if reached & needed] for m in modules],
        [_place(module, name) for name in names],
        shared,
    )


_OWN = frozenset(nn.Module().__dict__)
"""The attributes that every module has."""
_PLAIN = (str, bytes, int, float, complex, bool, type(None), type, types.ModuleType, types.FunctionType)


def _reach(value: Any, found: dict[int, Any], seen: set[int] | None = None) -> None:
    """Gather, by id, the modules and tensors that a value reaches without passing through a module."""
    seen = set() if seen is None else seen
    if isinstance(value, _PLAIN) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, nn.Module | Tensor):
        found[id(value)] = value
        return
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    elif isinstance(value, types.MethodType):
        parts = [value.__self__]
    elif isinstance(value, functools.partial):
        parts = [value.func, *value.args, *value.keywords.values()]
    else:
        parts = list(getattr(value, "__dict__", {}).values())
    for part in parts:
        _reach(part, found, seen)

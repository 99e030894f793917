"""The product with a line of its source changed, in this process and for a while.

The changed source is run beside the module; what its functions do and default to is put into the module's own, which
everybody holds already. So a change counts within functions and in their defaults: a module's constants stay.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any


@dataclass(frozen=True)
class Change:
    """A passage of a module's source, and what stands there instead. Its lines are written as deep as they stand."""

    module: str
    honest: str
    broken: str

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Break the module until the block ends."""
        module = import_module(self.module)
        honest, broken = functions_of(module), functions_of(self._changed(module))
        assert honest.keys() == broken.keys()
        different = {name for name, function in honest.items() if inner(function) != inner(broken[name])}
        assert different, f"changes no function: {self.honest}"
        before = {name: inner(honest[name]) for name in different}
        try:
            for name in different:
                put(honest[name], *inner(broken[name]))
            yield
        finally:
            for name, what in before.items():
                put(honest[name], *what)

    def _changed(self, module: ModuleType) -> ModuleType:
        source = inspect.getsource(module)
        assert self.honest in source, f"no longer in {self.module}: {self.honest}"
        changed = ModuleType(module.__name__)
        changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
        code = compile(source.replace(self.honest, self.broken), str(module.__file__), "exec")
        exec(code, changed.__dict__)  # noqa: S102 - our own source
        assert sys.modules[self.module] is module
        return changed


def inner(function: FunctionType) -> tuple[Any, Any, Any]:
    """Return what a function does, and what its parameters default to."""
    return function.__code__, function.__defaults__, function.__kwdefaults__


def put(function: FunctionType, code: Any, defaults: Any, kwdefaults: Any) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = code, defaults, kwdefaults


def functions_of(module: ModuleType) -> dict[str, FunctionType]:
    """Return the functions and methods that a module defines, without their decorations, by their qualified name."""
    found: dict[str, FunctionType] = {}
    for holder in (module, *(of for of in vars(module).values() if inspect.isclass(of))):
        if inspect.isclass(holder) and holder.__module__ != module.__name__:
            continue
        for value in vars(holder).values():
            function = bare(value)
            if function is not None and function.__module__ == module.__name__:
                found[function.__qualname__] = function
    return found


def bare(value: object) -> FunctionType | None:
    """Return the function within a property, a class method or a decorated function; None when there is none."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, functools.cached_property):
        value = value.func
    elif isinstance(value, classmethod | staticmethod):
        value = value.__func__
    value = inspect.unwrap(value) if callable(value) and not inspect.isclass(value) else value
    return value if isinstance(value, FunctionType) else None

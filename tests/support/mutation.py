"""Mutants: a package loaded a second time with one rule of its source broken."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from traceback import walk_tb
from types import CodeType, ModuleType

import pytest

from domain.kernel import PicoError
from tests.contract.store.contract import StoreContract, World

LONG_ENOUGH = 5.0
"""Seconds after which a promise that goes round in circles counts as broken."""
PLACE = re.compile(r"in (?P<module>[\w.]+), noticed by (?P<promise>\w+)")


@dataclass(frozen=True)
class Mutant:
    """One rule, and the change of source that breaks it. `promise` is what must notice, without its "test_"."""

    rule: str
    module: str
    honest: str
    broken: str
    promise: str

    @classmethod
    def all_in(cls, file: Path) -> list[Mutant]:
        """Read a file of mutants; its first block says how it is written."""
        return [cls._parsed(block) for block in file.read_text().strip().split("\n\n")[1:]]

    @classmethod
    def _parsed(cls, block: str) -> Mutant:
        rule, place, *lines = block.splitlines()
        where = PLACE.fullmatch(place)
        assert where, rule
        honest, broken = ("\n".join(line[2:] for line in lines if line[0] == sign) for sign in "-+")
        assert honest, rule
        return cls(rule, where["module"], honest, broken, where["promise"])

    def __str__(self) -> str:
        return self.rule.rstrip(".").replace(" ", "_")

    def loaded(self, package: str, world: str) -> ModuleType:
        """Import the module `world` anew, with whatever it takes from `package` coming from the mutant."""
        before = _taken_out(package, world)
        finder = _Finder(f"{package}.{self.module}", self)
        sys.meta_path.insert(0, finder)
        try:
            return import_module(world)
        finally:
            sys.meta_path.remove(finder)
            _taken_out(package, world)
            sys.modules.update(before)
            for name, module in before.items():
                parent, _, child = name.rpartition(".")
                setattr(sys.modules[parent], child, module)

    async def must_be_noticed(self, world: World) -> None:
        """Play the promise on a world that has the mutant. A mutant that only crashes shows nothing: that is raised."""
        try:
            async with asyncio.timeout(LONG_ENOUGH):
                await getattr(StoreContract(), f"test_{self.promise}")(world)
        except (AssertionError, pytest.fail.Exception, PicoError, TimeoutError):
            return
        except Exception as error:
            *_, (frame, _) = walk_tb(error.__traceback__)
            if Path(frame.f_code.co_filename).parent.name != "store":
                raise
            return  # raised by the promise itself: it got too little to unpack
        pytest.fail(f"Nobody noticed: {self.rule}")


def _taken_out(package: str, world: str) -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == world or name.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}


class _Finder(MetaPathFinder):
    """Finds the one module that is broken."""

    def __init__(self, name: str, mutant: Mutant) -> None:
        self.name, self.mutant = name, mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname == self.name else None
        if spec and spec.origin:
            spec.loader = _Loader(fullname, spec.origin, self.mutant)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, mutant: Mutant) -> None:
        super().__init__(fullname, path)
        self.mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        source = self.get_source(fullname) or ""
        assert source.count(self.mutant.honest) == 1, f"no longer held by this source: {self.mutant.rule}"
        before, after = source.split(self.mutant.honest)
        # A rule quoted from the middle of a line is broken there; whole lines go in at the depth they are written at.
        indent = before.rpartition("\n")[2] if not before.rpartition("\n")[2].strip() else ""
        return compile(before + self.mutant.broken.replace("\n", "\n" + indent) + after, self.path, "exec")

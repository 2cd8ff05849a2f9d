"""Find the spec each module of a package declares. No list to edit: the folder is the list."""

import importlib
import pkgutil
from typing import TypeVar

from core.contracts import ChannelSpec, CheckSpec, HandlerSpec
from core.errors import MisconfiguredError

S = TypeVar("S", ChannelSpec, HandlerSpec, CheckSpec)

_CONSTANT = {ChannelSpec: "CHANNEL", HandlerSpec: "HANDLER", CheckSpec: "CHECK"}


def discover(package: str, kind: type[S]) -> dict[str, S]:
    """Return name → spec for every public module of `package`, in name order.

    Raises MisconfiguredError, naming the file, when a module does not import, declares no spec, or its spec's
    name is not the module's: a broken plug-in stops the start.
    """
    constant = _CONSTANT[kind]
    root = importlib.import_module(package)
    found: dict[str, S] = {}
    for module in sorted(pkgutil.iter_modules(root.__path__), key=lambda m: m.name):
        if module.name.startswith("_") or module.ispkg:
            continue
        path = f"{package}.{module.name}"
        try:
            loaded = importlib.import_module(path)
        except Exception as error:
            raise MisconfiguredError(f"plug-in {path} does not import: {error!r}") from error
        spec = getattr(loaded, constant, None)
        if not isinstance(spec, kind):
            raise MisconfiguredError(
                f"plug-in {path} declares no {constant} = {kind.__name__}(...)"
            )
        if spec.name != module.name:
            raise MisconfiguredError(
                f"plug-in {path} calls itself {spec.name!r}, not {module.name!r}"
            )
        found[spec.name] = spec
    return found

"""``.entropy.toml``: what a repository offers to agents."""

import difflib
import shlex
import tomllib
from typing import Any

from pydantic import ValidationError

from entropy.errors import ConfigurationError
from entropy.items import Recipe, RepositoryConfig, Setup
from entropy.settings import SandboxBounds

FILE = ".entropy.toml"
SIZE_LIMIT = 64 * 1024
_KEYS = ("test", "recipe", "sandbox", "setup")
MOST_LOCKS = 20


def parse_config(text: bytes | None) -> RepositoryConfig:
    """The configuration, an empty one for None; `ConfigurationError` names the file, the key and the next step."""
    if text is None:
        return RepositoryConfig()
    table = _table(text)
    _refuse_unknown(table, _KEYS, "")
    recipes = table.get("recipe", [])
    if not isinstance(recipes, list) or not all(isinstance(recipe, dict) for recipe in recipes):
        raise _wrong("recipe", "is not a list of tables; begin each recipe with [[recipe]]")
    test = _command(table["test"], "test") if "test" in table else None
    config = RepositoryConfig(
        test=test,
        recipes=tuple(_recipe(entry, n) for n, entry in enumerate(recipes, 1)),
        sandbox=_sandbox(table.get("sandbox", {})),
        setup=_setup(table["setup"]) if "setup" in table else None,
    )
    for key in ("name", "label"):
        _refuse_twins([getattr(recipe, key) for recipe in config.recipes], key)
    return config


def _table(text: bytes) -> dict[str, Any]:
    if len(text) > SIZE_LIMIT:
        raise ConfigurationError(f"{FILE} is larger than {SIZE_LIMIT // 1024} KiB; make it smaller.")
    try:
        return tomllib.loads(text.decode())
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{FILE} is not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{FILE} is not TOML: {error}; correct it there.") from None
    except RecursionError:
        raise ConfigurationError(f"{FILE} nests too deeply; write it flat.") from None


def _recipe(entry: dict[str, Any], number: int) -> Recipe:
    place = f"recipe {number}: "
    _refuse_unknown(entry, tuple(Recipe.model_fields), place)
    if "command" in entry:
        entry = entry | {"command": _command(entry["command"], place + "command")}
    if entry.get("paths") == []:
        raise _wrong(place + "paths", "is empty; name what the recipe may change, or leave the key out")
    try:
        return Recipe.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        key = place + str(first["loc"][0])
        raise _wrong(key, "is missing; add it" if first["type"] == "missing" else _kind(first["loc"])) from None


def _sandbox(table: object) -> SandboxBounds:
    if not isinstance(table, dict):
        raise _wrong("sandbox", "is not a table; begin it with [sandbox]")
    _refuse_unknown(table, tuple(SandboxBounds.model_fields), "sandbox: ")
    if isinstance(table.get("network"), list):
        table = table | {"network": tuple(table["network"])}
    try:
        return SandboxBounds.model_validate(table, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        what = first["msg"][:1].lower() + first["msg"][1:]
        raise _wrong(f"sandbox: {first['loc'][0]}", f"is not usable: {what}") from None


def _setup(table: object) -> Setup:
    if not isinstance(table, dict):
        raise _wrong("setup", "is not a table; begin it with [setup]")
    _refuse_unknown(table, tuple(Setup.model_fields), "setup: ")
    for key in Setup.model_fields:
        if key not in table:
            raise _wrong(f"setup: {key}", "is missing; add it")
    files = table["files"]
    if not isinstance(files, list) or not all(isinstance(path, str) for path in files):
        raise _wrong("setup: files", "is not a list of strings; write one")
    if not 0 < len(set(files)) == len(files) <= MOST_LOCKS:
        raise _wrong("setup: files", f"does not name 1 to {MOST_LOCKS} different files; name the lock files")
    for path in files:
        if not _is_plain(path):
            raise _wrong("setup: files", f"names {path!r}; write the exact path of a file inside the repository")
    return Setup(command=_command(table["command"], "setup: command"), files=tuple(files))


def _is_plain(path: str) -> bool:
    parts = path.split("/")
    return path.isprintable() and not {"", ".", "..", ".git"}.intersection(parts)


def _kind(location: tuple[int | str, ...]) -> str:
    return "is not a list of strings; write one" if location[0] == "paths" else "is not a string; put it in quotes"


def _command(value: object, key: str) -> tuple[str, ...]:
    """An argument list, or a line that is split as a shell would split it; no shell ever sees it."""
    try:
        parts = shlex.split(value) if isinstance(value, str) else value
    except ValueError as error:
        raise _wrong(key, f"cannot be split into words ({error}); write it as a list of strings") from None
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise _wrong(key, "is not a command; write a string or a list of strings")
    if not parts or not parts[0]:
        raise _wrong(key, "is empty; name the program to run, or leave the key out")
    return tuple(parts)


def _refuse_unknown(table: dict[str, Any], keys: tuple[str, ...], place: str) -> None:
    for name in table:
        if name not in keys:
            close = difflib.get_close_matches(name, keys, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the keys are {', '.join(keys)}."
            raise ConfigurationError(f"{FILE}: {place}{name} is not a key; {hint}")


def _refuse_twins(values: list[str], key: str) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigurationError(f"{FILE}: two recipes have the {key} {value!r}; give each its own.")


def _wrong(key: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{FILE}: {key} {what}.")

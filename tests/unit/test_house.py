"""The bounds of the house that no other tool keeps: names, sizes, and imports that do nothing."""

import ast
import compileall
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import entropy

HOUSE = Path(entropy.__file__).parent
MODULES = sorted(HOUSE.rglob("*.py"))
EMPTY_WORDS = {"util", "helper", "common", "manager", "handler", "service", "misc"}

# Each module is imported in a fork of its own, so that none leans on what another has imported. The heavy foreign
# packages are loaded before the fork; only to be quick.
IMPORTER = '''
import importlib, os, sys, threading, traceback

HEAVY = """boto3.session botocore.exceptions celery.app.control celery.bin.base celery.bootsteps celery.canvas
celery.result docker github hvac jinja2
kombu.transport.redis markdown_it pydantic_settings pythonjsonlogger.json redis requests rich.live
starlette.applications tomllib uvicorn"""
for heavy in HEAVY.split():
    try:
        importlib.import_module(heavy)
    except ImportError:
        pass

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
ACTS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "subprocess.Popen", "os.exec",
        "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
        "os.symlink", "os.chmod", "os.chdir", "os.putenv", "sqlite3.connect", "signal.pthread_kill"}

def watch(event, arguments):
    if event in ACTS or (event == "open" and (arguments[2] or 0) & WRITES and arguments[0] != "/dev/null"):
        raise RuntimeError(f"an import does {event}{arguments!r}")

for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        sys.addaudithook(watch)
        try:
            importlib.import_module(name)
            assert threading.active_count() == 1, "an import starts a thread"
        except BaseException:
            print(name, traceback.format_exc(), file=sys.stderr, flush=True)
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(name, "ended with status", status, file=sys.stderr)
'''


def _name(path: Path) -> str:
    return ".".join(path.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


def _nodes() -> Iterator[tuple[str, ast.AST]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            yield _name(path), node


def test_no_two_classes_share_a_name() -> None:
    homes = Counter(node.name for _, node in _nodes() if isinstance(node, ast.ClassDef))
    assert [name for name, count in homes.items() if count > 1] == []


def test_functions_stay_under_forty_lines() -> None:
    lengths = {
        f"{module}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module, node in _nodes()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_modules_stay_under_three_hundred_lines() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_module_names_say_what_is_inside() -> None:
    words = {_name(path): {word.removesuffix("s") for word in re.split(r"[._]", _name(path))} for path in MODULES}
    assert [name for name, parts in words.items() if parts & EMPTY_WORDS] == []


def test_modules_say_what_they_are_for() -> None:
    trees = {_name(path): ast.parse(path.read_text()) for path in MODULES}
    assert [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_imports_do_nothing_and_need_nothing(tmp_path: Path) -> None:
    """No environment, no network, no file, no process, no thread, no word."""
    names = [*map(_name, MODULES), "celeryconfig"]
    compileall.compile_dir(HOUSE, quiet=1)  # else each fork of the importer, which may not write, does it again
    importer = subprocess.run(
        [sys.executable, "-I", "-B", "-c", IMPORTER, *names],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert importer.stdout + importer.stderr == ""
    assert importer.returncode == 0
    assert list(tmp_path.iterdir()) == []

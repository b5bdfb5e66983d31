"""The repository that the stories are about, with one recipe for each thing that a change may try to do."""

import sys
from pathlib import Path

from tests.e2e import prober

RECIPES = {
    "header": (
        "for path in Path('.').glob('widgets/*.py'): path.write_text('# SPDX: MIT\\n' + path.read_text())",
        "widgets/**",
    ),
    "outside": ("Path('README.md').write_text('mine')", "widgets/**"),
    "symlink": ("Path('widgets/link.py').symlink_to('/etc/passwd')", "widgets/**"),
    "workflow": (
        "Path('.github/workflows').mkdir(parents=True); Path('.github/workflows/x.yml').write_text('on: push')",
        "**",
    ),
    "many": ("[Path(f'widgets/f{n}.py').write_text(str(n)) for n in range(10_000)]", "widgets/**"),
    "executable": ("path = Path('widgets/tool.py'); path.write_text(''); path.chmod(0o755)", "widgets/**"),
    "nothing": ("print('nothing to do')", "widgets/**"),
    "fails": ("raise SystemExit('the tool broke')", "widgets/**"),
    "long": ("import time; Path('widgets/long.py').write_text('long = True\\n'); time.sleep(100)", "widgets/**"),
    "slow": ("import time; time.sleep(4); Path('widgets/slow.py').write_text('slow = True\\n')", "widgets/**"),
}

TEST = """
import unittest
from widgets import double

class DoubleTest(unittest.TestCase):
    def test_double(self):
        self.assertEqual(double(2), 4)
"""


def widgets(folder: Path) -> Path:
    """Write the tree below `folder`."""
    tree = folder / "tree"
    (tree / "widgets").mkdir(parents=True)
    (tree / "tests").mkdir()
    (tree / "recipes").mkdir()
    (tree / "README.md").write_text("Widgets\n")
    (tree / "widgets" / "__init__.py").write_text("def double(n):\n    return n * 2\n")
    (tree / "tests" / "__init__.py").write_text("")
    (tree / "tests" / "test_double.py").write_text(TEST)
    python = Path(sys.prefix).resolve() / "bin" / "python"
    config = [f'test = ["{python}", "-m", "unittest", "-q"]']
    for name, (code, paths) in RECIPES.items():
        (tree / "recipes" / f"{name}.py").write_text(f"from pathlib import Path\n{code}\n")
        config.append(_recipe(name, f'"{python}", "recipes/{name}.py"', paths))
    (tree / "recipes" / "probe.py").write_text(Path(prober.__file__).read_text())
    config.append(_recipe("probe", f'"{python}", "recipes/probe.py"', "widgets/**"))
    (tree / ".entropy.toml").write_text("\n".join(config))
    return tree


def _recipe(name: str, command: str, paths: str) -> str:
    return f"""
[[recipe]]
name = "{name}"
label = "recipe:{name}"
command = [{command}]
paths = ["{paths}"]
"""

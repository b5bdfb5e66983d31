"""Entropy as a person at a terminal uses it: commands and Python shells of their own, against a given Redis."""

import subprocess
import sys
from collections.abc import Mapping

from entropy.settings import inherited


def environment(**settings: str) -> dict[str, str]:
    return {**inherited("PATH", "LANG"), **settings}


def celery(*arguments: str, env: Mapping[str, str], cwd: object) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-m", "celery", "-A", "entropy", *arguments], env=env, cwd=cwd)


def python(code: str, *, env: Mapping[str, str], cwd: object) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "-c", code], env=env, cwd=cwd)


def run(argv: list[str], *, env: Mapping[str, str], cwd: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, env=dict(env), cwd=str(cwd), capture_output=True, text=True, timeout=60, check=False)

"""Files and functions stay small enough to be read at once."""

import ast
import subprocess

import pytest

from tools.build_zip import ROOT

FILE_LINES = 400
FUNCTION_LINES = 60


def python_files():
    """Python files of the project, committed or about to be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git checkout: the project's own files are not known")
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).exists()]


def test_files_have_at_most_400_lines():
    long = {path.name: n for path in python_files() if (n := len(path.read_text("utf-8").splitlines())) > FILE_LINES}
    assert long == {}


def test_functions_have_at_most_60_lines():
    long = {}
    for path in python_files():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= FUNCTION_LINES:
                long[f"{path.relative_to(ROOT)}:{node.name}"] = node.end_lineno - node.lineno + 1
    assert long == {}

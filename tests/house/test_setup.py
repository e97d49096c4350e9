"""Setting up: what is found, what is refused, and what is said."""

import sys

import pytest

from tools import setup_env, system_libraries


def fake_interpreter(folder, script):
    folder.mkdir(parents=True)
    path = folder / "python3.13"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_shim_that_fails_counts_as_no_python(tmp_path, monkeypatch):
    shim = fake_interpreter(tmp_path / "shims", "echo 'python3.13: command not found' >&2; exit 127")
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert setup_env.find_next_python() is None


def test_pyenv_s_versions_are_found_beside_its_shims(tmp_path, monkeypatch):
    shim = fake_interpreter(tmp_path / "pyenv" / "shims", "exit 127")
    real = fake_interpreter(tmp_path / "pyenv" / "versions" / "3.13.9" / "bin", "exit 0")
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert setup_env.find_next_python() == str(real)


def test_without_a_newer_python_the_skip_is_noted_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(setup_env, "find_next_python", lambda: None)
    monkeypatch.setattr(setup_env, "SKIP_NOTE", tmp_path / "build" / "note.txt")
    assert setup_env.set_up_next() is False
    assert "no Python 3.13" in (tmp_path / "build" / "note.txt").read_text()


def test_a_missing_library_that_may_not_be_installed_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(system_libraries, "missing_library", lambda python: "OSError: libEGL.so.1: cannot open")
    monkeypatch.setattr(system_libraries, "apt_prefix", lambda: None)
    with pytest.raises(SystemExit) as refusal:
        system_libraries.ensure_system_libraries("python", print)
    message = str(refusal.value)
    assert "libEGL.so.1" in message and "sudo apt-get" in message and "libegl1" in message


def test_a_stale_environment_is_made_again(tmp_path):
    assert not setup_env.has_pip(tmp_path / "bin" / "python")
    broken = fake_interpreter(tmp_path / "bin", "exit 1")
    assert not setup_env.has_pip(broken)


def test_the_digest_follows_the_requirements(tmp_path):

    requirements = tmp_path / "requirements.txt"
    requirements.write_text("numpy==1.26.4\n")
    first = setup_env.digest(requirements, sys.executable)
    assert setup_env.digest(requirements, sys.executable) == first
    requirements.write_text("numpy==2.0.0\n")
    assert setup_env.digest(requirements, sys.executable) != first

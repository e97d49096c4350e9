#!/bin/sh
# Finds Python 3.11 and lets tools/setup_env.py make the project's environments with it.
set -eu
cd "$(dirname "$0")/.."

is_311='import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))'
for python in python3.11 python3 /usr/bin/python3.11; do
    if command -v "$python" >/dev/null 2>&1 && "$python" -c "$is_311" >/dev/null 2>&1; then
        exec "$python" tools/setup_env.py "$@"
    fi
done
echo "setup: no Python 3.11 with its venv module found (tried python3.11 and python3): Blender 4.5's module runs on no" \
    "other. On Debian 12 or Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv" >&2
exit 1

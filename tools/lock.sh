#!/usr/bin/env bash
# Writes requirements/dev.lock anew from pyproject.toml; PyTorch (extra `train`) is never in it.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch"
"$scratch/bin/python" -m pip install --quiet 'pip-tools>=7.4,<8'
CUSTOM_COMPILE_COMMAND=tools/lock.sh "$scratch/bin/pip-compile" --quiet --upgrade --extra dev \
    --allow-unsafe --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-options \
    --output-file requirements/dev.lock pyproject.toml

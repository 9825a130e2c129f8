#!/usr/bin/env bash
# Writes requirements/dev.lock and model.lock anew from pyproject.toml; PyTorch (extra `train`) is never in
# them. model.lock has the kernels that `boardless model verify --peer` compares with.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch"
"$scratch/bin/python" -m pip install --quiet 'pip-tools>=7.4,<8'

compile() {
    CUSTOM_COMPILE_COMMAND=tools/lock.sh "$scratch/bin/pip-compile" --quiet --upgrade "$@" \
        --allow-unsafe --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-options \
        pyproject.toml
}
compile --extra dev --output-file requirements/dev.lock
compile --extra model --output-file requirements/model.lock

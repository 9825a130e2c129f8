#!/usr/bin/env bash
# The suites from an installed package: a wheel in a fresh environment, and nothing of the checkout
# but the suites and the firmware that they run. Usage: tools/wheel.sh [WHEEL]; without one, builds it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly PLACE=$(mktemp -d)
trap 'rm -rf "$PLACE"' EXIT

wheel=${1:-}
if [[ -z $wheel ]]; then
    # From a copy: setuptools leaves its build folder beside the sources.
    mkdir "$PLACE/sources"
    git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C "$PLACE/sources"
    .venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir "$PLACE" "$PLACE/sources"
    wheel=$(echo "$PLACE"/boardless-*.whl)
fi
python3 -m venv "$PLACE/venv"
"$PLACE/venv/bin/pip" install --quiet "$wheel"

mkdir -p "$PLACE/user/build"
cp -r robot "$PLACE/user/robot"
rm -rf "$PLACE/user/robot/libraries"  # they are in the package
cp -r build/firmware "$PLACE/user/build/firmware"
cp boardless.toml budget.lock "$PLACE/user/"
mkdir -p "$PLACE/user/models"
cp -r models/artifacts "$PLACE/user/models/artifacts"
cd "$PLACE/user"
where=$("$PLACE/venv/bin/python" -c 'import boardless, boardless_sim; print(boardless.__file__)')
[[ $where == "$PLACE/venv/"* ]] || { echo "wheel: $where is not the installed package" >&2; exit 2; }
"$PLACE/venv/bin/boardless" --version
"$PLACE/venv/bin/boardless" test robot/suites --out "$PLACE/out"

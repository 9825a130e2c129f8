#!/usr/bin/env bash
# Unpacks Monocypher's two source files from the PyPI package pymonocypher, whose hash is pinned,
# into build/monocypher. Nothing of it is ever committed.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly OUT=build/monocypher
readonly VERSION=4.0.3.4
readonly SHA256=5e56e3d3eb770a53e0b9f6274146663c11a11f3d0de5cd48e3be0428d1b07a4a

[[ -f $OUT/monocypher.c ]] && exit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
.venv/bin/python -m pip download --quiet --no-deps --no-build-isolation \
    --no-binary :all: --dest "$scratch" "pymonocypher==$VERSION"
archive=$scratch/pymonocypher-$VERSION.tar.gz
echo "$SHA256  $archive" | sha256sum --check --quiet
mkdir -p "$OUT"
tar -xzf "$archive" -C "$scratch"
cp "$scratch/pymonocypher-$VERSION"/monocypher.[ch] "$OUT/"

#!/usr/bin/env bash
# Makes this checkout ready: the system's tools, .venv from the lock, the project in it (editable).
# A second run finds its stamp and does nothing. Usage: tools/setup.sh [--lint]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=.venv
readonly STAMP=$VENV/.boardless-stamp
readonly LOCK=requirements/dev.lock
readonly DATASET=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if have "$candidate" && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

has_newlib() {
    have arm-none-eabi-gcc && [[ $(arm-none-eabi-gcc -print-file-name=libc_nano.a) == /* ]]
}
has_c_compiler() {
    have make && have cc && echo '#include <stdio.h>' | cc -E - >/dev/null 2>&1
}
has_venv() {
    local python
    python=$(find_python) && "$python" -c 'import ensurepip, venv' 2>/dev/null
}

# The Debian packages whose tools are not there; a tool from elsewhere on PATH is as good.
missing_packages() {
    have arm-none-eabi-gcc || echo gcc-arm-none-eabi
    has_newlib || echo libnewlib-arm-none-eabi
    has_c_compiler || echo build-essential
    has_venv || echo python3-venv
    [[ -r $DATASET ]] || echo dataset-fashion-mnist
    if [[ $1 == --lint ]]; then
        have clang-format || echo clang-format
        have cppcheck || echo cppcheck
    fi
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        die "needs root for: $* (no sudo here; run it as root, then try again)"
    fi
}
apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null
}
known_to_apt() {
    local package
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 || return 1
    done
}

install_packages() {
    have apt-get || die "missing: $*. These are Debian's names; install their tools, then try again"
    say "installing: $*"
    if known_to_apt "$@" && apt install --no-install-recommends --yes "$@"; then
        return
    fi
    say "refreshing the package lists"
    apt update || die "apt-get update failed"
    apt install --no-install-recommends --yes "$@" || die "apt-get could not install: $*"
}

# What the environment was made from: change any of it, and it is brought up to date.
fingerprint() {
    printf '%s\n' "$PWD" "$1"
    sha256sum "$LOCK" pyproject.toml setup.py sim/boardless_sim/core/*.[ch] 2>/dev/null || true
}

make_venv() {
    local python=$1
    if ! "$VENV/bin/python" -c '' 2>/dev/null; then
        say "making $VENV with $("$python" --version)"
        "$python" -m venv --clear "$VENV"
    fi
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
    say "installing the locked Python packages"
    "$VENV/bin/python" -m pip install -qq -r "$LOCK"
    say "building and installing boardless"
    "$VENV/bin/python" -m pip install -qq --no-build-isolation --no-deps -e .
}

main() {
    local missing python wanted
    missing=$(missing_packages "${1:-}")
    if [[ -n $missing ]]; then
        # shellcheck disable=SC2086  # one word a package
        install_packages $missing
        missing=$(missing_packages "${1:-}")
        [[ -z $missing ]] || die "still missing after the installation:" $missing
    fi
    python=$(find_python) || die "no Python 3.11 or newer on PATH (set PYTHON=/path/to/python3)"
    wanted=$(fingerprint "$("$python" --version)")
    if [[ ! -x $VENV/bin/python || ! -f $STAMP || $(<"$STAMP") != "$wanted" ]]; then
        rm -f "$STAMP"
        make_venv "$python"
        printf '%s\n' "$wanted" >"$STAMP"
        say "ready"
    fi
}

main "$@"

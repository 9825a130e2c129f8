#!/usr/bin/env bash
# Makes this checkout ready: the system's tools, .venv from the lock, the project in it (editable).
# A second run finds its stamp and does nothing. Usage: tools/setup.sh [--lint | --view | --gateway]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=.venv
readonly LOCK_STAMP=$VENV/.lock-stamp
readonly BUILD_STAMP=$VENV/.build-stamp
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
    have qemu-system-arm || echo qemu-system-arm
    has_newlib || echo libnewlib-arm-none-eabi
    has_c_compiler || echo build-essential
    has_venv || echo python3-venv
    [[ -r $DATASET ]] || echo dataset-fashion-mnist
    if [[ $1 == --view ]]; then
        have chromium || echo chromium
        have chromedriver || echo chromium-driver
    fi
    if [[ $1 == --gateway ]]; then
        have mosquitto || [[ -x /usr/sbin/mosquitto ]] || echo mosquitto
    fi
    if [[ $1 == --lint ]]; then
        have clang-format || echo clang-format
        have cppcheck || echo cppcheck
        # The workflow that comments on a pull request is run by the tests.
        have gdb-multiarch || have arm-none-eabi-gdb || echo gdb-multiarch
        have gh || echo gh
        have jq || echo jq
        have unzip || echo unzip
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

# A stamp holds what its step was made from: change any of it, and the step runs again.
is_current() {
    [[ -f $1 && $(<"$1") == "$2" ]]
}

make_venv() {
    local python
    rm -f "$LOCK_STAMP" "$BUILD_STAMP"
    if ! "$VENV/bin/python" -c '' 2>/dev/null; then
        python=$(find_python) || die "no Python 3.11 or newer on PATH (set PYTHON=/path/to/one)"
        say "making $VENV with $("$python" --version)"
        "$python" -m venv --clear "$VENV"
    fi
    say "installing the locked Python packages"
    "$VENV/bin/python" -m pip install -qq -r "$LOCK"
    printf '%s\n' "$1" >"$LOCK_STAMP"
}

install_project() {
    rm -f "$BUILD_STAMP"
    say "building and installing boardless"
    "$VENV/bin/python" -m pip install -qq --no-build-isolation --no-deps -e .
    printf '%s\n' "$1" >"$BUILD_STAMP"
}

# A script of pip's names its Python in double quotes to /bin/sh, PATH divides at colons, and make
# takes a dollar for its own: such a path would fail in the middle.
refuse_path() {
    if [[ $PWD == *[\"\\\$\`:=]* || $PWD == *$'\n'* ]]; then
        die "$PWD: expected a checkout in a path without \" \\ \$ \` : = and line ends"
    fi
}

main() {
    local missing lock build
    refuse_path
    missing=$(missing_packages "${1:-}")
    if [[ -n $missing ]]; then
        # shellcheck disable=SC2086  # one word a package
        install_packages $missing
        missing=$(missing_packages "${1:-}")
        [[ -z $missing ]] || die "still missing after the installation:" $missing
    fi
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
    lock="$PWD $(sha256sum "$LOCK")"
    build="$PWD $(cat pyproject.toml setup.py sim/boardless_sim/core/*.[ch] | sha256sum)"
    if [[ ! -x $VENV/bin/python ]] || ! is_current "$LOCK_STAMP" "$lock"; then
        make_venv "$lock"
    fi
    if [[ ! -f sim/boardless_sim/core/_core.so ]] || ! is_current "$BUILD_STAMP" "$build"; then
        install_project "$build"
    fi
}

main "$@"

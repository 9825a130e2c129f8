"""Builds the C core as a plain shared library.

Everything else about the package is in pyproject.toml. The core is loaded with ctypes and uses no
Python header, so that a user needs a C compiler but not python3-dev.
"""

from __future__ import annotations

import importlib.util
import shlex
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

CORE = Path("sim/boardless_sim/core")
NO_COMPILER = (
    "boardless: its C core needs a C compiler and the C library's headers, and {found}; "
    "install them (Debian, Ubuntu: apt-get install build-essential) and try again"
)


def core_sources() -> list[str]:
    """The C files of the core; an archive without them cannot become a package."""
    sources = sorted(str(source) for source in CORE.glob("*.c"))
    if not sources:
        raise SystemExit(f"boardless: {CORE} has no *.c, expected the C core")
    return sources


def unicorn_headers() -> str:
    """The folder of <unicorn/unicorn.h>, which the unicorn wheel brings along."""
    found = importlib.util.find_spec("unicorn")
    if found is None or found.origin is None:
        raise SystemExit("boardless: unicorn is not there, expected unicorn==2.1.4 at build time")
    include = Path(found.origin).parent / "include"
    if not (include / "unicorn" / "unicorn.h").is_file():
        raise SystemExit(f"boardless: {include} has no unicorn/unicorn.h, expected unicorn==2.1.4")
    return str(include)


class BuildCore(build_ext):
    """Compiles the core, or says in one line what is missing."""

    def get_ext_filename(self, fullname: str) -> str:
        """One name on every Python: the library does not depend on its ABI."""
        return str(Path(*fullname.split("."))) + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Not a Python module, so there is no PyInit to export."""
        return list(ext.export_symbols)

    def build_extensions(self) -> None:
        """Look for the compiler before it is called."""
        compiler = self.compiler.compiler_so[0]
        if shutil.which(compiler) is None:
            raise SystemExit(NO_COMPILER.format(found=f"{shlex.quote(compiler)} is not there"))
        try:
            super().build_extensions()
        except CompileError as error:
            raise SystemExit(NO_COMPILER.format(found=f"{error}")) from None


class PlatformWheel(bdist_wheel):
    """The wheel depends on the platform, not on the Python that built it."""

    def get_tag(self) -> tuple[str, str, str]:
        """py3-none-<platform>."""
        return ("py3", "none", super().get_tag()[2])


setup(
    ext_modules=[
        Extension(
            "boardless_sim.core._core",
            sources=core_sources(),
            depends=sorted(str(header) for header in CORE.glob("*.h")),
            include_dirs=[unicorn_headers()],
            extra_compile_args=["-O2", "-std=c11", "-Wall", "-Wextra"],
        )
    ],
    cmdclass={"build_ext": BuildCore, "bdist_wheel": PlatformWheel},
)

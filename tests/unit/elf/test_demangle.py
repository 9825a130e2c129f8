"""Source names of symbols: C++ as binutils writes them, Rust by the examples of its RFC."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boardless_sim.elf.demangle import demangled

SOURCE = """
namespace nn {
struct Layer { virtual int run(int) = 0; Layer(); virtual ~Layer(); };
struct Other { virtual int walk() { return 1; } };
struct Conv : Other, Layer { int run(int x) override { return x; } };
template <class T, int N> struct Buffer {
    T data[N];
    T get(const T *(*)[5], Buffer<T, N> &) { return data[0]; }
    bool operator==(const Buffer &) const { return true; }
};
Layer::Layer() {}
Layer::~Layer() {}
template struct Buffer<int, 5>;
template struct Buffer<Conv *, 7>;
namespace { int hidden(int x) { static int count; return count += x; } }
int infer(int x, Buffer<int, 5> &b) {
    auto local = [&](int y) { return y + x + b.data[0]; };
    Conv c;
    return local(3) + hidden(x) + c.run(x);
}
static const int table[] = {1, 2, 3};
int look(int i) { return table[i]; }
inline namespace v1 { __attribute__((used)) void f(int (Conv::*)(int), decltype(nullptr)) {} }
}
"""


def bare(text: str) -> str:
    """What binutils says, without template arguments and parameters."""
    text = text.removesuffix(" const").replace("(anonymous namespace)", "@")
    while text != (shorter := re.sub(r"<[^<>]*>|\((?:[^()]|\([^()]*\))*\)(?=$|::)", "", text)):
        text = shorter
    return text.replace("@", "(anonymous namespace)").removeprefix("non-virtual thunk to ")


def test_names_of_cpp_are_those_of_binutils(tmp_path: Path) -> None:
    source, built = tmp_path / "a.cpp", tmp_path / "a.o"
    source.write_text(SOURCE)
    command = ["arm-none-eabi-g++", "-mcpu=cortex-m4", "-O0", "-c", str(source), "-o", str(built)]
    subprocess.run(command, check=True)
    said = [
        subprocess.run(
            ["arm-none-eabi-nm", *more, str(built)], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for more in (["-p"], ["-p", "-C"])
    ]
    checked = 0
    for raw, nice in zip(*said, strict=True):
        symbol, expected = raw[11:], bare(nice[11:])
        if symbol.startswith("_Z") and not re.search(r"lambda|operator", expected):
            assert demangled(symbol) == expected, symbol
            checked += 1
    assert checked > 20


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("_ZN2nn6BufferIiLi5EEeqERKS1_", "nn::Buffer::operator=="),
        ("_ZZN2nn5inferEiENKUliE_clEi", "nn::infer::{lambda}::operator()"),
        ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector::push_back"),
        ("_ZN2nn3runEi.constprop.0", "nn::run"),
        ("_ZdlPv", "operator delete"),
        ("_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE", "core::fmt::Formatter::write_str"),
        ("_ZN5_$LT$3run17h0123456789abcdefE", "<::run"),
        ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
        ("_RNvXs_C7mycrateNtB4_3FooNtB4_5Trait3run", "<mycrate::Foo as mycrate::Trait>::run"),
        ("_RNCNvC7mycrate4main0", "mycrate::main::{closure}"),
        ("_RINvNtC3std3mem8align_ofNtC3foo3BarE", "std::mem::align_of"),
        ("_RNvC7mycrateu8gdel_5qa", "mycrate::gödel"),
        ("main", None),
        ("_Z", None),
        ("_ZN", None),
        ("_ZN99aE", None),
        ("_R", None),
        ("_RB_", None),
        ("_RNvB9_3foo", None),
    ],
)
def test_names_of_other_compilers(symbol: str, name: str | None) -> None:
    assert demangled(symbol) == name


@given(st.text("_ZNRSTIELXJFABCDKPMUstlhv0123456789_ab", max_size=60))
def test_any_symbol_is_a_name_or_none(text: str) -> None:
    for start in ("_Z", "_ZN", "_R", "_RNv"):
        found = demangled(start + text)
        assert found is None or isinstance(found, str)

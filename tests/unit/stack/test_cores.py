"""Every Cortex-M: frames by the code are the compiler's, vectors and hardware loops included."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from boardless.project.annotations import StackAnnotations
from boardless.stack import Confidence, analyse_stack

SOURCE = """
#include <stdint.h>
#define FAR __attribute__((noinline))
FAR void add(int32_t *restrict a, const int32_t *restrict b, int n)
{ for (int i = 0; i < n; i++) a[i] += b[i] * 3; }
FAR float dot(const float *a, const float *b, int n)
{
    float s[8] = {0}, r = 0;
    for (int i = 0; i < n; i++) s[i & 7] += a[i] * b[i];
    for (int i = 0; i < 8; i++) r += s[i];
    return r;
}
int32_t x[64], y[64];
float f[64];
/* The loop counter is made before the frame: DLS stands in front of the SUB of SP. */
FAR int sum(int n)
{
    volatile int t[40];
    int r = 0;
    for (int i = 0; i < n; i++) { t[i % 40] = x[i]; r += t[i % 40]; }
    return r;
}
FAR long long wide(long long a, int n) { return n & 1 ? a << (n & 63) : a >> (n & 63); }
FAR int least(int a, int b) { volatile int t[20]; t[0] = a; return a < b ? t[0] : -b; }
void Reset_Handler(void)
{
    add(x, y, 64);
    x[0] = (int)dot(f, f, 64) + sum(64) + (int)wide(x[1], y[1]) + least(x[2], y[2]);
    for (;;) {}
}
__attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000, Reset_Handler};
"""
CORES = {
    "ARMv6-M": ("-mcpu=cortex-m0",),
    "ARMv7-M": ("-mcpu=cortex-m3",),
    "ARMv7E-M": ("-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"),
    "ARMv8-M Baseline": ("-mcpu=cortex-m23",),
    "ARMv8-M Mainline": ("-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
    "ARMv8.1-M with MVE": ("-mcpu=cortex-m55", "-mfloat-abi=hard"),
}


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3", "-Ofast"])
@pytest.mark.parametrize("core", CORES)
def test_frames_are_the_compilers(core: str, level: str, tmp_path: Path) -> None:
    source, elf = tmp_path / "a.c", tmp_path / "a.elf"
    source.write_text(SOURCE)
    command = ["arm-none-eabi-gcc", *CORES[core], "-mthumb", level, "-g", "-w", "-fstack-usage"]
    command += ["-nostartfiles", "--specs=nano.specs", "-Wl,-Ttext=0x08000000", "-Wl,--no-warnings"]
    command += ["-Wl,--section-start=.vectors=0x08010000", "-Wl,-eReset_Handler"]
    command += ["-dumpdir", f"{tmp_path}/", str(source), "-o", str(elf)]
    subprocess.run(command, check=True)
    report = analyse_stack(elf, StackAnnotations(su_folders=(tmp_path,)))
    assert [found for found in report.disagreements if found.source == ".su"] == []
    assert report.grade == Confidence.EXACT
    own = {function.name: function.own_bytes for function in report.functions}
    assert own["sum"] >= 160
    assert report.bound_bytes is not None
    assert report.bound_bytes >= own["Reset_Handler"] + own["sum"]

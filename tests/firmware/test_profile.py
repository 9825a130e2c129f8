"""Where the cycles of the reference firmware go; the figures must agree with each other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from boardless.cli import main
from boardless.fit.need import need_of_file
from boardless.running.classify import classify
from boardless.timing.profile.callgrind import callgrind
from boardless.timing.profile.costs import label
from boardless.timing.profile.recording import Profile, ProfilePlan, record_frames, record_time
from boardless.timing.profile.sampling import ASLEEP
from boardless.timing.profile.speedscope import SCHEMA, speedscope_document
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.graph import macs_of
from boardless_models.graph.memory import arena, needed
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import ResultError
from tests.firmware.conftest import BUILD, REPO

ELF = BUILD / "boardless.elf"
ARTIFACTS = REPO / "models" / "artifacts"
FRAMES = 3
LAYERS = 5


def profile_of(every_cycles: int = 997) -> Profile:
    return record_frames(
        ProfilePlan(ELF, every_cycles), open_frames("pattern:noise:1", limit=FRAMES)
    )


@pytest.fixture(name="profile", scope="module")
def profile_fixture() -> Profile:
    return profile_of()


def test_the_layers_are_what_the_firmware_itself_counts_for_its_inference(
    profile: Profile,
) -> None:
    with closing(NativeEngine()) as engine:
        engine.load(load_image(ELF))
        frames = list(open_frames("pattern:noise:1", limit=FRAMES))
        report = classify(engine, [frames[0], *frames])
    sent_us = report.results[-1].sent_us - report.results[0].sent_us
    assert abs(profile.cycles - sent_us * profile.hz / 1e6) < 40  # a block: nothing is added
    counted_us = sum(result.times_us["infer"] for result in report.results[1:])
    megahertz = profile.hz // 1_000_000
    most = (counted_us + FRAMES) * megahertz  # it leaves out fractions
    layer_cycles = sum(layer.cost.cycles for layer in profile.layers)
    (infer,) = (stage.cost.cycles for stage in profile.stages if stage.name == "infer")
    assert 0.98 * counted_us * megahertz <= layer_cycles < infer <= most


def test_every_layer_is_that_of_the_artifact(profile: Profile) -> None:
    graph = load_artifact(ARTIFACTS / "fashion_mnist_8k.npz").graph
    assert [found.layer.macs for found in profile.layers] == [
        macs_of(graph, operator) for operator in graph.operators
    ]
    shapes = [graph.values[operator.output].shape for operator in graph.operators]
    assert [found.layer.output for found in profile.layers] == [
        (shape.height, shape.width, shape.channels) for shape in shapes
    ]
    assert {found.cost.calls for found in profile.layers} == {FRAMES}
    assert {(profile.kernel(found) or "")[:6] for found in profile.layers} == {"nn_m4_"}
    rooms = tuple(found.work_bytes or 0 for found in profile.layers)
    assert needed(arena(graph, rooms), rooms) == load_image(ELF).symbol("scratch").size


def test_every_stage_runs_once_a_frame_and_the_frame_is_the_camera_s(profile: Profile) -> None:
    assert [stage.name for stage in profile.stages] == [
        *("capture wait", "preprocess", "infer", "print")
    ]
    assert {stage.cost.calls for stage in profile.stages} == {FRAMES}
    staged = sum(stage.cost.cycles for stage in profile.stages)
    assert 0.999 * profile.cycles < staged <= profile.cycles
    assert profile.cycles / profile.hz / FRAMES == pytest.approx(1 / 30, rel=1e-3)
    assert sum(stage.cost.sleep_cycles for stage in profile.stages) <= profile.sleep_cycles


def test_no_call_uses_more_stack_than_the_whole_run(profile: Profile) -> None:
    with closing(NativeEngine()) as engine:
        engine.load(load_image(ELF))
        classify(engine, open_frames("pattern:noise:1", limit=FRAMES))
        most = engine.stack_mark().used_bytes
    infer = next(stage.cost for stage in profile.stages if stage.name == "infer")
    layers = [found.cost.stack_bytes for found in profile.layers]
    assert 100 < min(layers) <= max(layers) < infer.stack_bytes < most


def test_every_cycle_is_on_a_stack(profile: Profile) -> None:
    assert sum(profile.stacks.values()) == profile.cycles
    asleep = sum(cycles for stack, cycles in profile.stacks.items() if stack[-1] == ASLEEP)
    assert asleep == profile.sleep_cycles
    assert profile.stacks[("Reset_Handler", "main", "frame_capture_wait", ASLEEP)] > 0.99 * asleep


def test_every_stack_goes_back_to_reset_or_to_a_handler(profile: Profile) -> None:
    outermost = {stack[0] for stack in profile.stacks}
    assert "Reset_Handler" in outermost
    assert {name for name in outermost if not name.endswith("Handler")} == set()


def test_stacks_go_through_the_assembly(profile: Profile) -> None:
    first = label(profile.layers[0].layer)
    calls = ("Reset_Handler", "main", "nn_run", first, "nn_backend_run", "nn_m4_conv2d")
    assert profile.stacks[(*calls, "nn_m4_conv2d_row3_pool")] > profile.stacks[calls] > 0


def test_what_is_sampled_agrees_with_what_is_counted(profile: Profile) -> None:
    sampled: Counter[str] = Counter()
    for stack, cycles in profile.stacks.items():
        for name in stack:
            sampled[name] += cycles
    for found in profile.layers:
        most = 2 * FRAMES * profile.every_cycles  # one sample off at either end
        assert abs(sampled[label(found.layer)] - found.cost.cycles) < most


def test_the_same_run_gives_the_same_profile(profile: Profile) -> None:
    assert profile_of() == profile


def test_how_often_it_is_sampled_changes_no_cost(profile: Profile) -> None:
    other = profile_of(every_cycles=5003)
    assert other.samples < profile.samples / 4
    assert (other.stages, other.layers) == (profile.stages, profile.layers)
    assert (other.cycles, other.instructions) == (profile.cycles, profile.instructions)


def test_callgrind_s_lines_have_every_cycle_and_no_handler_has_a_caller(profile: Profile) -> None:
    text = "".join(callgrind(profile))
    own, called, is_call = 0, set(), False
    for line in text.splitlines():
        if line.startswith("cfn="):
            called.add(line.removeprefix("cfn="))
        is_cost = line[:1].isdigit()
        own += int(line.split()[1]) if is_cost and not is_call else 0
        is_call = line.startswith("calls=")
    assert f"\nsummary: {profile.cycles}\n" in text
    assert own == profile.cycles
    assert "fn=DMA2_Stream1_IRQHandler\n" in text
    assert "nn_run" in called
    assert not {name for name in called if name.endswith("Handler")} - {"Reset_Handler"}
    assert re.search(r"\nfl=nn/m4/nn_m4_winograd\.c\nfn=nn_m4_winograd\n", text)


def test_the_flame_graph_is_a_sampled_profile_of_the_whole_time(profile: Profile) -> None:
    document: dict[str, Any] = json.loads(json.dumps(speedscope_document(profile)))
    assert document["$schema"] == SCHEMA
    frames, sampled = document["shared"]["frames"], document["profiles"][0]
    assert (sampled["type"], sampled["unit"], sampled["startValue"]) == (
        *("sampled", "microseconds", 0),
    )
    assert len(sampled["samples"]) == len(sampled["weights"]) == len(profile.stacks)
    assert {number for stack in sampled["samples"] for number in stack} == set(range(len(frames)))
    assert sum(sampled["weights"]) == pytest.approx(sampled["endValue"])
    assert sampled["endValue"] == profile.cycles * 1e6 / profile.hz
    first = [frames[number]["name"] for number in sampled["samples"][0]]
    assert tuple(first) == next(iter(profile.stacks))


def test_a_firmware_with_a_mailbox(tmp_path: Path) -> None:
    plan = ProfilePlan(BUILD / "boardless-mailbox.elf")
    found = record_frames(plan, open_frames("pattern:noise:1", limit=2))
    assert [layer.cost.calls for layer in found.layers] == [2] * LAYERS


def test_a_program_without_frames_or_layers() -> None:
    found = record_time(ProfilePlan(BUILD / "periph_test.elf"), 50_000)
    assert (found.frames, found.layers, found.stages) == (None, (), ())
    assert found.cycles == pytest.approx(50_000 * found.hz / 1e6, rel=0.2)  # the clock starts slow
    assert found.functions[0].self_cycles > 0


def test_without_call_frames_functions_and_layers_stand_alone(tmp_path: Path) -> None:
    objcopy = shutil.which("arm-none-eabi-objcopy")
    assert objcopy is not None
    elf = tmp_path / "app.elf"
    subprocess.run([objcopy, "--strip-debug", str(ELF), str(elf)], check=True)
    found = record_frames(ProfilePlan(elf), open_frames("pattern:checker"))
    assert not found.knows_callers
    assert found.kernel(found.layers[0]) == "nn_m4_conv2d_row3_pool"


def test_a_firmware_that_hangs_names_the_limit() -> None:
    plan = ProfilePlan(BUILD / "faulty_hang.elf", limit_us=120_000)
    with pytest.raises(
        ResultError, match=r"no whole run to profile: 3 results, then limit: 120 ms"
    ):
        record_frames(plan, open_frames("pattern:noise:1", limit=10))


def test_a_firmware_that_faults_is_no_profile_of_time() -> None:
    with pytest.raises(ResultError, match="no whole run to profile: fault: HardFault at pc"):
        record_time(ProfilePlan(BUILD / "faulty_hardfault.elf"), 1e6)


def test_the_command_prints_tables_and_writes_both_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, graph = tmp_path / "p.json", tmp_path / "p.speedscope.json"
    model = ARTIFACTS / "fashion_mnist_8k.npz"
    options = ["--limit", "2", "--top", "1", "--json", str(profile), "--speedscope", str(graph)]
    assert main(["profile", str(ELF), "--model", str(model), *options]) == 0
    said = capsys.readouterr().out
    document = json.loads(profile.read_text())
    assert (document["schema"], document["frames"], len(document["layers"])) == (1, 2, LAYERS)
    assert document["timing"] == {
        "basis": "estimated Cortex-M4 cycles",
        "error_percent": 15,
        "hz": 168_000_000,
    }
    second = document["layers"][1]
    cells = [f"{second['cycles'] / 2:,.0f}", f"{second['macs']:,}", f"{second['ram_bytes']:,}"]
    (row,) = (line for line in said.splitlines() if line.startswith("1 conv2d 3×3 → 14×14×16"))
    assert set(cells) <= set(row.split())
    assert "basis: estimated Cortex-M4 cycles, ±15 %" in said
    assert json.loads(graph.read_text())["$schema"] == SCHEMA


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([ELF, "--model", ARTIFACTS / "fashion_mnist_8bit.npz"], "expected 233e297d"),
        ([BUILD / "selftest.elf", "--limit-us", "9000"], "0 results, then limit: 9 ms"),
        ([BUILD / "selftest.elf", "--limit-us", "9000"], "without frames: --for-us"),
        ([ELF, "--for-us", "1000", "--limit", "2"], "expected no --frames or --limit"),
        ([ELF, "--json", "missing/p.json"], "missing, expected one to write into"),
        ([ELF, "--speedscope", "missing/p.json"], "missing, expected one to write into"),
        ([ELF, "--frames", "missing.png"], "missing.png: No such file"),
    ],
)
def test_a_profile_that_cannot_be_made(
    arguments: list[str | Path], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *map(str, arguments)]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err


def test_a_stripped_firmware_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strip = shutil.which("arm-none-eabi-strip")
    assert strip is not None
    elf = tmp_path / "app.elf"
    subprocess.run([strip, "-o", str(elf), str(ELF)], check=True)
    assert main(["profile", str(elf)]) == 2
    assert "no symbols, a profile needs them: expected --symbols ELF" in capsys.readouterr().err


def test_what_fit_says_before_a_run_comes_within_15_percent(profile: Profile) -> None:
    need = need_of_file(ARTIFACTS / "fashion_mnist_8k.npz")
    assert need.cycles is not None
    assert (
        abs(need.cycles - sum(layer.cost.cycles for layer in profile.layers) / FRAMES)
        < 0.15 * need.cycles
    )


def test_a_profile_of_time_says_where_the_firmware_stood() -> None:
    found = record_time(ProfilePlan(BUILD / "faulty_hang.elf"), 100_000)
    assert found.stands is not None
    assert not found.is_stuck
    assert found.stands.function in dict.fromkeys(name for stack in found.stacks for name in stack)

"""Where two engines disagree first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from boardless.compare.comparison import (
    Answer,
    Comparison,
    LayerOutput,
    Opinion,
    first_difference,
    layers_by_frame,
    setups_of,
)
from boardless.compare.known_differences import KNOWN
from boardless.compare.transcript import Excuse, Transcript, differing_check, excuses, read_checks
from boardless.report.compare import compare_document
from boardless_sim.contract import REFERENCE
from boardless_sim.engines.engine import UartLine
from boardless_sim.errors import EngineError
from boardless_sim.timing_basis import TimingBasis

REPO = Path(__file__).parents[3]
LAYERS = tuple(LayerOutput(index, 10, f"{index:08x}") for index in range(3))
ANSWERS = tuple(
    Answer(f"t10k[{number}]", number, 90, f"r- {number}", LAYERS) for number in range(4)
)
ONE = Opinion("one", TimingBasis("cycles", 15), ANSWERS)
TWO = Opinion("two", TimingBasis("instructions"), ANSWERS)


def changed(number: int, **values: object) -> Opinion:
    answers = list(ANSWERS)
    answers[number] = replace(answers[number], **values)  # type: ignore[arg-type]
    return replace(TWO, answers=tuple(answers))


def said(opinion: Opinion) -> str:
    found = first_difference([ONE, opinion])
    return "" if found is None else str(found[0])


def test_equal_answers_have_no_difference() -> None:
    assert said(TWO) == ""


def test_a_layer_comes_before_the_class_that_it_spoils() -> None:
    layers = (LAYERS[0], replace(LAYERS[1], crc32="deadbeef"), LAYERS[2])
    other = changed(2, class_index=9, layers=layers)
    assert said(other) == "frame 2 (t10k[2]), layer 1: one crc32 00000001, two crc32 deadbeef"
    found = first_difference([ONE, other])
    assert found is not None
    assert found[1] == (2, 1, (0, 1))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (changed(1, class_index=7), "frame 1 (t10k[1]), class: one 1, two 7"),
        (changed(3, score=89), "frame 3 (t10k[3]), score: one 90, two 89"),
        (changed(0, layers=LAYERS[:2]), "frame 0 (t10k[0]), number of layers: one 3, two 2"),
        (
            replace(TWO, answers=ANSWERS[:3], detail="limit: 5 ms"),
            "frame 3, result: one a result, two limit: 5 ms",
        ),
    ],
)
def test_every_kind_of_difference_is_said(other: Opinion, message: str) -> None:
    assert said(other) == message


def test_the_earliest_frame_of_all_engines_counts() -> None:
    late, early = changed(3, score=1), replace(changed(1, score=2), engine="three")
    found = first_difference([ONE, late, early])
    assert found is not None
    assert str(found[0]) == "frame 1 (t10k[1]), score: one 90, three 2"


def test_layers_belong_to_the_result_after_them() -> None:
    lines = [
        "l- layer=0 bytes=4 crc32=0000000a",
        "r- frame=0 class=1 score=2",
        "m- something",
        "r- frame=1 class=1 score=2",
    ]
    said = [UartLine("USART2", text, 0.0) for text in lines]
    assert layers_by_frame(said, REFERENCE) == [(LayerOutput(0, 4, "0000000a"),), ()]


# ---- the self-test ----


def transcript(*lines: str) -> Transcript:
    return Transcript(read_checks(f"t- {line}" for line in lines))


FULL = transcript("smlad pass 00000021", "ccm pass 00000000", "cycles_wrap pass 00000007")


@pytest.mark.parametrize(
    ("lines", "difference"),
    [
        (("smlad pass 00000021", "ccm pass 00000000", "cycles_wrap pass 00000009"), None),
        (
            ("smlad pass 00000022", "ccm pass 00000000", "cycles_wrap pass 00000007"),
            ("smlad", "pass 00000021", "pass 00000022"),
        ),
        (
            ("smlad fail 00000021", "ccm pass 00000000", "cycles_wrap pass 00000007"),
            ("smlad", "pass 00000021", "fail 00000021"),
        ),
        (
            ("smlad pass 00000021", "cycles_wrap pass 00000007"),
            ("ccm", "pass 00000000", "no such line"),
        ),
        (
            (
                "smlad pass 00000021",
                "ccm pass 00000000",
                "cycles_wrap pass 00000007",
                "more pass 00000000",
            ),
            ("more", "no such line", "pass 00000000"),
        ),
    ],
)
def test_verdict_and_value_of_every_check_count(
    lines: tuple[str, ...], difference: tuple[str, str, str] | None
) -> None:
    assert differing_check(FULL, transcript(*lines), frozenset()) == difference


def test_a_program_that_did_not_end_differs() -> None:
    other = Transcript(FULL.checks, "halt after 3 checks")
    assert differing_check(FULL, other, frozenset()) == ("end", "done", "halt after 3 checks")


def listed(engine: str, said: Transcript) -> tuple[list[str], list[str]]:
    found, gone = excuses(engine, said, [FULL])
    return [excuse.check for excuse in found], [excuse.check for excuse in gone]


def test_what_an_engine_cannot_have_is_listed_with_its_reason() -> None:
    failed = transcript("smlad pass 00000021", "ccm fail 00000002", "cycles_wrap pass 00000007")
    found, gone = excuses("qemu", failed, [FULL])
    assert found == [Excuse("qemu", "ccm", "the machine has no core-coupled memory")]
    assert gone == []
    assert listed("native", failed) == ([], [])
    opinions = replace(ONE, transcript=FULL), replace(TWO, engine="qemu", transcript=failed)
    assert first_difference(opinions, found) is None
    assert first_difference(opinions) is not None


def test_a_known_difference_that_is_gone_is_said() -> None:
    assert listed("qemu", FULL) == ([], ["ccm"])


def test_a_known_difference_excuses_no_other() -> None:
    both = transcript("smlad fail 00000021", "ccm fail 00000002", "cycles_wrap pass 00000007")
    found, _ = excuses("qemu", both, [FULL])
    opinions = replace(ONE, transcript=FULL), replace(TWO, engine="qemu", transcript=both)
    difference = first_difference(opinions, found)
    assert difference is not None
    assert difference[0].where == "self-test, check smlad"


def test_a_check_that_is_known_to_fail_must_be_made() -> None:
    cut = transcript("smlad pass 00000021", "cycles_wrap pass 00000007")
    found, gone = excuses("qemu", cut, [FULL])
    assert (found, gone) == ([], [])
    assert differing_check(FULL, cut, frozenset()) == ("ccm", "pass 00000000", "no such line")


def test_a_value_of_its_own_is_known_only_where_it_differs() -> None:
    chip, own = transcript("flags_kept pass f80a0000"), transcript("flags_kept pass f8000000")
    assert [len(each) for each in excuses("renode", own, [chip])] == [1, 0]
    assert [len(each) for each in excuses("renode", chip, [chip])] == [0, 1]
    assert excuses("renode", transcript("flags_kept fail f8000000"), [chip]) == ([], [])


CHIP = transcript("smlad pass 00000021", "mem_manage_own pass 00000004")


def test_a_run_that_is_known_to_end_before_the_last_checks_is_no_difference() -> None:
    cut = Transcript(CHIP.checks[:1], "fault after 1 checks")
    found, gone = excuses("renode", cut, [CHIP])
    assert ([excuse.check for excuse in found], gone) == (["mem_manage_own"], [])
    assert differing_check(CHIP, cut, frozenset({"mem_manage_own"})) is None
    assert differing_check(CHIP, Transcript((), "fault"), frozenset({"mem_manage_own"})) == (
        "smlad",
        "pass 00000021",
        "no such line",
    )


def test_a_run_that_gets_further_than_is_known_is_said() -> None:
    found, gone = excuses("renode", CHIP, [CHIP])
    assert (found, [excuse.check for excuse in gone]) == ([], ["mem_manage_own"])


def test_every_known_difference_is_of_a_check_that_the_program_makes() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((REPO / "firmware/tests/selftest").glob("*.c"))
    )
    for engine, entries in KNOWN.items():
        assert [k.check for k in entries if f'"{k.check}"' not in sources] == [], engine


def test_the_document_has_everything() -> None:
    found = first_difference([ONE, changed(1, score=2)])
    assert found is not None
    comparison = Comparison((ONE, changed(1, score=2)), found[0], (), Path("selftest.elf"))
    document = json.loads(json.dumps(compare_document(comparison)))
    assert document["schema"] == 1
    assert document["equal"] is False
    assert document["difference"] == {
        "where": "frame 1 (t10k[1]), score",
        "values": {"one": "90", "two": "2"},
    }
    bases = [(e["timing_basis"], e["error_percent"]) for e in document["engines"]]
    assert bases == [("cycles", 15), ("instructions", None)]


@pytest.mark.parametrize("engines", ["native", "native,native", "", ","])
def test_one_engine_is_no_comparison(engines: str) -> None:
    with pytest.raises(EngineError, match="expected two or more, each once"):
        setups_of(Path("app.elf"), engines)

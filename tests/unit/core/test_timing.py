"""The cycle table on small blocks whose cost the manual gives."""

import pytest

from boardless_sim.core.timing import analyse_block

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0439, 3.3.1")

ADDRESS = 0x0800_0000


def block(*halfwords: int) -> bytes:
    return b"".join(h.to_bytes(2, "little") for h in halfwords)


def test_alu_instructions_take_one_cycle_each() -> None:
    facts = analyse_block(ADDRESS, block(0x3001, 0x3101, 0x3201))  # adds r0/r1/r2, #1
    assert (facts.instructions, facts.cycles) == (3, 3)


def test_a_second_load_overlaps_with_the_first() -> None:
    assert analyse_block(ADDRESS, block(0x6808)).cycles == 2  # ldr r0, [r1]
    assert analyse_block(ADDRESS, block(0x6808, 0x684A)).cycles == 3  # ldr, ldr


def test_nothing_overlaps_with_a_store() -> None:
    load = 0x684B  # ldr r3, [r1, #4]
    assert analyse_block(ADDRESS, block(0x6008, load)).cycles == 1 + 2  # str r0, [r1]
    assert analyse_block(ADDRESS, block(0x5088, load)).cycles == 2 + 2  # str r0, [r1, r2]


def test_a_store_overlaps_with_the_load_before_it() -> None:
    assert analyse_block(ADDRESS, block(0x6808, 0x5088)).cycles == 2 + 1  # ldr; str r0, [r1, r2]


def test_a_load_whose_address_was_just_loaded_does_not_overlap() -> None:
    assert (
        analyse_block(ADDRESS, block(0x6809, 0x680A)).cycles == 2 + 2
    )  # ldr r1, [r1]; ldr r2, [r1]
    assert analyse_block(ADDRESS, block(0x6808, 0x680A)).cycles == 2 + 1


def test_it_folds_into_a_narrow_instruction_before_it() -> None:
    narrow, wide = (0x3001,), (0xF100, 0x0001)  # adds r0, #1; add.w r0, r0, #1
    it_and_add = (0xBF08, 0x3101)  # it eq; addeq r1, #1
    assert analyse_block(ADDRESS, block(*narrow, *it_and_add)).cycles == 1 + 0 + 1
    assert analyse_block(ADDRESS, block(*wide, *it_and_add)).cycles == 1 + 1 + 1


def test_an_address_fresh_from_the_alu_costs_a_cycle() -> None:
    assert (
        analyse_block(ADDRESS, block(0x3104, 0x6808)).cycles == 1 + 2 + 1
    )  # adds r1, #4; ldr r0, [r1]
    assert analyse_block(ADDRESS, block(0x3204, 0x6808)).cycles == 1 + 2


def test_multiple_transfers_take_one_cycle_a_word_and_one_more() -> None:
    facts = analyse_block(ADDRESS, block(0xB5F0))  # push {r4-r7, lr}
    assert facts.cycles == 6
    assert facts.sp_drop == 20


@pytest.mark.parametrize(
    ("last", "refill"),
    [((0xE7FE,), 1), ((0xD1FE,), 2), ((0x4770,), 2), ((0xBD00,), 2), ((0x3001,), 0)],
)
def test_refill_is_paid_only_by_a_taken_branch(last: tuple[int, ...], refill: int) -> None:
    assert analyse_block(ADDRESS, block(*last)).taken_cycles == refill


def test_a_wide_target_across_a_word_boundary_costs_one_more() -> None:
    wide = block(0xF851, 0x2023)
    assert analyse_block(ADDRESS + 2, wide).target_cycles == 1
    assert analyse_block(ADDRESS, wide).target_cycles == 0


def test_accesses_know_their_cycle() -> None:
    facts = analyse_block(ADDRESS, block(0x3001, 0x6808, 0x6048))  # adds; ldr [r1]; str [r1, #4]
    assert [(a.offset, a.cycles_before) for a in facts.accesses] == [(2, 1), (4, 3)]


def test_deepest_stack_of_a_block_counts_although_it_returns() -> None:
    facts = analyse_block(ADDRESS, block(0xB510, 0xB082, 0xB002, 0xBD10))
    assert facts.sp_drop == 8 + 8
    assert not facts.moves_sp

"""Facts of a basic block in the C core's own form."""

from __future__ import annotations

import ctypes

from boardless_sim.core.alignment import Alignment
from boardless_sim.core.library import ArtCode, BlockAccess, CoreBlock
from boardless_sim.core.timing import BlockFacts

_MAX_ACCESSES = 0xFF
_MAX_U16 = 0xFFFF
_LOOKS_AT_BASES = 1 << 7  # behind the flags that say what is in the block


def to_core(
    facts: BlockFacts, alignment: Alignment, *, marked: bool
) -> tuple[CoreBlock, ctypes.Array[BlockAccess]]:
    """`core_block` and its `core_access` array (shared.h)."""
    timed_accesses = facts.accesses[:_MAX_ACCESSES]
    block = CoreBlock(
        size_bytes=facts.size,
        instructions=facts.instructions,
        cycles=min(facts.cycles, _MAX_U16),
        code=ArtCode(last_line_cycles=min(facts.last_line_cycles, _MAX_U16)),
        sp_drop_bytes=min(facts.sp_drop, _MAX_U16),
        accesses=len(timed_accesses),
        flags=_flags(facts, marked) | (_LOOKS_AT_BASES if alignment.bases else 0),
        taken_cycles=facts.taken_cycles,
        target_cycles=facts.target_cycles,
        aligned_bases=alignment.bases,
        loop_keeps_bases=alignment.loop_keeps_it,
    )
    array = (BlockAccess * len(timed_accesses))()
    for slot, timed in zip(array, timed_accesses, strict=True):
        access = timed.access
        slot.displacement = access.displacement & 0xFFFF_FFFF
        slot.cycles_before = min(timed.cycles_before, _MAX_U16)
        slot.span_bytes = access.words * 4
        slot.instruction = min(timed.offset // 2, 0xFF)
        slot.base = -1 if access.base is None else access.base
        slot.index = -1 if access.index_register is None else access.index_register
        slot.shift = access.shift
        slot.is_load = access.is_load
        slot.width_bytes, slot.must_align = alignment.widths[timed.offset]
    return block, array


def _flags(facts: BlockFacts, marked: bool) -> int:
    """The block flags of shared.h, lowest bit first."""
    bits = (
        facts.has_fp,
        facts.sets_mask,
        facts.sp_drop > 0,
        facts.moves_sp,
        facts.sends_event,
        facts.is_exclusive,
        marked,
    )
    return sum(1 << position for position, is_set in enumerate(bits) if is_set)

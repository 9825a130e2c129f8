/* How low the stacks go, and where they may be.
 *
 * A stack pointer stays in the object of the firmware, or in the free area between two of them, in
 * which it began: the main one at its initial value, the process one wherever it was last set to.
 * Below that lie other variables, which the chip would overwrite without a word.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* Ascending addresses where an object or a free area ends and the next begins. */
int32_t core_set_stack_bounds(core *c, const uint32_t *bounds, uint32_t count) {
    free(c->stack_bounds);
    c->stack_bounds = malloc((count + 1u) * sizeof *bounds);
    c->stack_bound_count = c->stack_bounds ? count : 0;
    if (!c->stack_bounds) {
        return -1;
    }
    memcpy(c->stack_bounds, bounds, count * sizeof *bounds);
    return 0;
}

/* The area of that address, if it is not the one that is known already. */
void stack_is_at(core *c, uint32_t address) {
    stack_area *area = &c->stack_areas[c->on_process_stack];
    if (address - area->floor < area->top - area->floor) {
        return;
    }
    uint32_t low = 0;
    uint32_t high = c->stack_bound_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2u;
        if (c->stack_bounds[middle] <= address) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    area->floor = low ? c->stack_bounds[low - 1u] : 0;
    area->top = low < c->stack_bound_count ? c->stack_bounds[low] : UINT32_MAX;
}

static void note_left(core *c, uint32_t sp, uint32_t pc) {
    c->shared.stack_left = c->on_process_stack ? 2 : 1;
    c->shared.stack_left_sp = sp;
    c->shared.stack_left_pc = pc;
    c->shared.stack_floor = c->stack_areas[c->on_process_stack].floor;
    c->shared.deadline = 0;
}

void stack_look(core *c, uint32_t sp, uint32_t pc) {
    uint32_t *probed = c->on_process_stack ? &c->shared.probed_psp : &c->shared.probed_msp;
    if (sp < *probed) {
        *probed = sp;
    }
    if (sp < c->stack_areas[c->on_process_stack].floor && !c->shared.stack_left) {
        note_left(c, sp, pc);
    }
    if (c->on_process_stack) {
        if (sp < c->shared.lowest_psp) {
            c->shared.lowest_psp = sp;
        }
    } else if (sp < c->shared.lowest_msp) {
        c->shared.lowest_msp = sp;
        c->shared.lowest_msp_pc = pc;
    }
}

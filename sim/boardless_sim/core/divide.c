/* "Division operations use early termination to minimize the number of cycles required based on the
 * number of leading ones and zeroes in the input operands" (DDI 0439, 3.3.1): 2 to 12.
 *
 * The manual does not say how many for which operands. Measured on a Cortex-M4: 2 where an operand
 * is 0, 3 where the dividend is shorter than the divisor, else it is the difference of the lengths
 * that counts, signs aside (compendium.i-0.nl, "Division timing"). Four bits of the quotient a
 * cycle are what makes the longest quotient, 32 bits, take 12.
 */
#include "armv7m.h"
#include "core.h"

#define THUMB_SDIV      0xfb90u /* and the dividend's register */
#define THUMB_UDIV      0xfbb0u
#define LEAST_CYCLES    2u
#define SHORTER_CYCLES  3u
#define ONE_STEP_CYCLES 5u
#define BITS_A_STEP     4u

static uint32_t bits_of(uint32_t value, bool is_signed) {
    uint32_t magnitude = is_signed && (int32_t)value < 0 ? 0u - value : value;
    uint32_t bits = 0;
    while (magnitude) {
        magnitude >>= 1;
        bits++;
    }
    return bits;
}

static uint32_t divide_cycles(uint32_t dividend, uint32_t divisor, bool is_signed) {
    uint32_t dividend_bits = bits_of(dividend, is_signed);
    uint32_t divisor_bits = bits_of(divisor, is_signed);
    if (!dividend_bits || !divisor_bits) {
        return LEAST_CYCLES;
    }
    if (dividend_bits < divisor_bits) {
        return SHORTER_CYCLES;
    }
    return ONE_STEP_CYCLES + (dividend_bits - divisor_bits) / BITS_A_STEP;
}

/* Before a divide. Its block has counted the least that one takes. */
void core_on_divide(uc_engine *uc, uint64_t address, uint32_t size, void *user) {
    (void)size;
    core *c = user;
    uint16_t code[2] = {0, 0};
    c->api.mem_read(uc, address, code, sizeof code);
    bool is_signed = (code[0] & 0xfff0u) == THUMB_SDIV;
    if (c->quiet || (!is_signed && (code[0] & 0xfff0u) != THUMB_UDIV)) {
        return;
    }
    uint32_t dividend = core_reg(c, CORE_GENERAL[code[0] & 0xfu]);
    uint32_t divisor = core_reg(c, CORE_GENERAL[code[1] & 0xfu]);
    if (!divisor && (c->ccr & CCR_DIV_0_TRP)) {
        abandon(c, ABANDON_DIVIDE, (uint32_t)address, 0);
        return;
    }
    if (debug_counted_divide(c, (uint32_t)address)) {
        return;
    }
    uint32_t more = divide_cycles(dividend, divisor, is_signed) - LEAST_CYCLES;
    c->shared.cycles += more;
    c->block_start_cycles += more; /* so that the accesses behind it are as much later */
}

/*
 * Frames from memory to the decoder, as many as a host has written; guards around its buffers.
 *
 * The host fills `inbox`, sets `count` and lets the program run to fuzz_done().
 */
#include <stdint.h>

#include "apps/command/packet.h"
#include "drivers/cpu.h"
#include "startup/fault.h"

#define FRAMES      256u
#define FRAME_BYTES 120u
#define GUARD       0xA5u
#define GUARD_BYTES 32u

typedef struct {
    uint32_t last;
    uint32_t size_bytes;
    uint8_t bytes[FRAME_BYTES];
} incoming;

typedef struct {
    int32_t code;
    packet decoded;
} outgoing;

void fuzz_done(void);

uint32_t count;
uint8_t key[HMAC_KEY_BYTES];
incoming inbox[FRAMES];
outgoing outbox[FRAMES];
uint32_t damaged_guards;

static struct {
    uint8_t before[GUARD_BYTES];
    uint8_t frame[PACKET_MOST_FRAME];
    uint8_t behind[GUARD_BYTES];
} guarded;

void fault_report(const fault_frame *frame) {
    (void)frame;
    cpu_stop();
}

void fault_unexpected(uint32_t exception) {
    (void)exception;
    cpu_stop();
}

/* Here the host reads the outbox and fills the inbox anew. */
__attribute__((noinline)) void fuzz_done(void) {
    __asm volatile("nop");
}

static void set_guards(void) {
    for (uint32_t i = 0; i < GUARD_BYTES; i++) {
        guarded.before[i] = guarded.behind[i] = GUARD;
    }
}

static void check_guards(void) {
    for (uint32_t i = 0; i < GUARD_BYTES; i++) {
        if (guarded.before[i] != GUARD || guarded.behind[i] != GUARD) {
            damaged_guards++;
            return;
        }
    }
}

static void decode(uint32_t number) {
    const incoming *given = &inbox[number];
    for (uint32_t i = 0; i < given->size_bytes && i < PACKET_MOST_FRAME; i++) {
        guarded.frame[i] = given->bytes[i];
    }
    set_guards();
    outbox[number].code =
        packet_decode(guarded.frame, given->size_bytes, key, given->last, &outbox[number].decoded);
    check_guards();
}

int main(void) {
    for (;;) {
        for (uint32_t i = 0; i < count; i++) {
            decode(i);
        }
        fuzz_done();
    }
}

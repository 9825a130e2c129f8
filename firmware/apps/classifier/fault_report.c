/* The application's answer to a fault: one e- line, then a stop. */
#include "startup/fault.h"

#include <stddef.h>

#include "apps/common/print.h"
#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/usart.h"

#define FAULT_LINE_BYTES 256u

/* Not on the stack: it may be what failed. */
static char buffer[FAULT_LINE_BYTES];

static _Noreturn void send_and_stop(print_line *line) {
    print_text(line, "\n");
    (void)usart_write_polled(line->text, line->size_bytes);
    cpu_stop();
}

static print_line begin(const char *what, uint32_t exception) {
    print_line line = {.text = buffer, .capacity = sizeof buffer, .size_bytes = 0};
    print_text(&line, "e- fault ");
    print_text(&line, what);
    print_field(&line, "code", exception);
    return line;
}

void fault_report(const fault_frame *frame) {
    print_line line = begin(frame == NULL ? "stack-overflow" : "hardfault", EXCEPTION_HARD_FAULT);
    if (frame != NULL) {
        print_field_hex(&line, "pc", frame->pc);
        print_field_hex(&line, "lr", frame->lr);
        print_field_hex(&line, "psr", frame->psr);
        print_field_hex(&line, "r0", frame->r0);
        print_field_hex(&line, "r1", frame->r1);
        print_field_hex(&line, "r2", frame->r2);
        print_field_hex(&line, "r3", frame->r3);
        print_field_hex(&line, "r12", frame->r12);
    }
    print_field_hex(&line, "cfsr", SCB->CFSR);
    print_field_hex(&line, "hfsr", SCB->HFSR);
    print_field_hex(&line, "bfar", SCB->BFAR);
    print_field_hex(&line, "mmfar", SCB->MMFAR);
    send_and_stop(&line);
}

void fault_unexpected(uint32_t exception) {
    print_line line = begin("unexpected-exception", exception);
    send_and_stop(&line);
}

/* A fault: outputs off at once, one e- line, then the watchdog's reset. */
#include <stddef.h>

#include "apps/common/print.h"
#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/pwm.h"
#include "drivers/usart.h"
#include "startup/fault.h"

#define FAULT_LINE_BYTES 96u

static char buffer[FAULT_LINE_BYTES];

static _Noreturn void say_and_reset(uint32_t exception, uint32_t pc) {
    pwm_servo_off();
    pwm_led_off();
    print_line line = {.text = buffer, .capacity = sizeof buffer, .size_bytes = 0};
    print_text(&line, "e- fault hardfault");
    print_field(&line, "code", exception);
    print_field_hex(&line, "pc", pc);
    print_field_hex(&line, "cfsr", SCB->CFSR);
    print_text(&line, "\n");
    (void)usart_write_polled(line.text, line.size_bytes);
    cpu_disable_interrupts();
    for (;;) { /* the watchdog says why the device starts again */
    }
}

void fault_report(const fault_frame *frame) {
    say_and_reset(EXCEPTION_HARD_FAULT, frame == NULL ? 0 : frame->pc);
}

void fault_unexpected(uint32_t exception) {
    say_and_reset(exception, 0);
}

#include "apps/common/console.h"

#include "drivers/cpu.h"
#include "drivers/tick.h"
#include "drivers/usart.h"

#define CONSOLE_LINE_BYTES 160u /* the longest line, r-, has at most 151 */

/* A full line takes 14 ms at 115200 baud. */
#define CONSOLE_SEND_LIMIT_MS 50u

static char buffer[CONSOLE_LINE_BYTES];
static print_line line;

void console_start(uint32_t apb1_hz) {
    usart_init(apb1_hz);
}

void console_flush(void) {
    uint32_t start = tick_count();
    while (usart_sending() && tick_count() - start <= CONSOLE_SEND_LIMIT_MS / TICK_MS) {
        cpu_disable_interrupts();
        if (usart_sending()) {
            cpu_wait_for_interrupt();
        }
        cpu_enable_interrupts();
    }
}

print_line *console_begin(void) {
    console_flush();
    line = (print_line){
        .text = buffer,
        .capacity = CONSOLE_LINE_BYTES - 1u, /* room for the newline */
        .size_bytes = 0,
    };
    return &line;
}

void console_end(print_line *ended) {
    ended->text[ended->size_bytes++] = '\n';
    /* A transmitter that will not start has no channel left to say so. */
    (void)usart_send(ended->text, ended->size_bytes);
}

void console_error(const char *module, const char *what, int code) {
    print_line *error = console_begin();
    print_text(error, "e- ");
    print_text(error, module);
    print_text(error, " ");
    print_text(error, what);
    print_text(error, " code=");
    print_signed(error, code);
    console_end(error);
}

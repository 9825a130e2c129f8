/* The console without DMA or interrupts, for chips and emulators that lack them. */
#include "apps/common/console.h"

#include "drivers/usart.h"

#define CONSOLE_LINE_BYTES 160u

static char buffer[CONSOLE_LINE_BYTES];
static print_line line;

void console_start(uint32_t apb1_hz) {
    usart_init(apb1_hz);
}

void console_flush(void) {
    /* A line has gone out when console_end() returns. */
}

print_line *console_begin(void) {
    line = (print_line){
        .text = buffer,
        .capacity = CONSOLE_LINE_BYTES - 1u, /* room for the newline */
        .size_bytes = 0,
    };
    return &line;
}

void console_end(print_line *ended) {
    ended->text[ended->size_bytes++] = '\n';
    /* A transmitter that takes nothing leaves no channel to say so. */
    (void)usart_write_polled(ended->text, ended->size_bytes);
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

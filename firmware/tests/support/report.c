#include "tests/support/report.h"

#include "apps/common/print.h"
#include "drivers/clock.h"
#include "drivers/usart.h"

#define REPORT_LINE_BYTES 96u

static struct {
    uint32_t passed;
    uint32_t failed;
    uint32_t hclk_hz;
} report;

static void send(print_line *line) {
    print_text(line, "\n");
    (void)usart_write_polled(line->text, line->size_bytes);
}

void report_start(void) {
    int err = clock_start();
    report.hclk_hz = err ? CLOCK_HSI_HZ : CLOCK_HCLK_HZ;
    usart_init(err ? CLOCK_HSI_HZ : CLOCK_APB1_HZ);
}

uint32_t report_hclk_hz(void) {
    return report.hclk_hz;
}

void report_check(const char *name, bool passed, uint32_t value) {
    char text[REPORT_LINE_BYTES];
    print_line line = {.text = text, .capacity = sizeof text, .size_bytes = 0};
    print_text(&line, "t- ");
    print_text(&line, name);
    print_text(&line, passed ? " pass " : " fail ");
    print_hex(&line, value, 8);
    send(&line);
    if (passed) {
        report.passed++;
    } else {
        report.failed++;
    }
}

void report_message(const char *message) {
    char text[REPORT_LINE_BYTES];
    print_line line = {.text = text, .capacity = sizeof text, .size_bytes = 0};
    print_text(&line, "m- ");
    print_text(&line, message);
    send(&line);
}

void report_done(void) {
    char text[REPORT_LINE_BYTES];
    print_line line = {.text = text, .capacity = sizeof text, .size_bytes = 0};
    print_text(&line, "t- done");
    print_field(&line, "pass", report.passed);
    print_field(&line, "fail", report.failed);
    send(&line);
}

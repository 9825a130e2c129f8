/* A board without a camera. Any clock that it reaches is good enough: nothing is in a hurry. */
#include "apps/classifier/board.h"

#include "apps/classifier/frame_capture.h"
#include "apps/classifier/frame_mailbox.h"
#include "apps/common/console.h"
#include "apps/common/version.h"
#include "drivers/clock.h"
#include "drivers/cycles.h"
#include "drivers/tick.h"

static void print_clock_fallback(int err) {
    print_line *line = console_begin();
    print_text(line, "m- clock hsi code=");
    print_signed(line, err);
    console_end(line);
}

static void print_mailbox(void) {
    print_line *line = console_begin();
    print_text(line, "m- mailbox");
    print_field_hex(line, "address", (uint32_t)&frame_mailbox);
    console_end(line);
}

int board_start(void) {
    int err = clock_start();
    uint32_t hclk_hz = err ? CLOCK_HSI_HZ : CLOCK_HCLK_HZ;
    tick_start(hclk_hz);
    cycles_start();
    console_start(err ? CLOCK_HSI_HZ : CLOCK_APB1_HZ);

    print_line *line = console_begin();
    print_text(line, "m- boardless firmware " FIRMWARE_VERSION);
    print_field(line, "hclk", hclk_hz);
    console_end(line);
    if (err) {
        print_clock_fallback(err);
    }
    frame_capture_init();
    print_mailbox();
    return 0;
}

void board_restore_camera(void) {
    /* Frames come from memory: nothing can have lost its settings. */
}

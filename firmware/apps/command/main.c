/* Frames in, pictures, servo and LED out; asleep or in Stop mode between them. */
#include "apps/command/board.h"
#include "apps/command/counter.h"
#include "apps/command/device.h"
#include "apps/command/link.h"
#include "apps/command/power.h"
#include "apps/command/watchdog.h"
#include "apps/common/console.h"
#include "drivers/cpu.h"
#include "drivers/usart.h"

static void take_frames(void) {
    static link_frame frame;
    while (link_take(&frame)) {
        device_take(&frame, uptime_ms());
    }
}

/* Between the last look and the wait no interrupt may slip in: they are served after it. */
static void wait(void) {
    int err = 0;
    cpu_disable_interrupts();
    if (!link_has_bytes()) {
        uint32_t now_ms = uptime_ms();
        bool may_stop = device_idle(now_ms) && !usart_busy() && power_may_stop(now_ms);
        err = may_stop ? power_stop() : power_sleep();
    }
    cpu_enable_interrupts();
    if (err) {
        cpu_reset(); /* at HSI the line is not understood */
    }
}

int main(void) {
    device_why why;
    if (board_start(&why)) {
        console_flush();
        cpu_stop();
    }
    device_start(why);
    for (;;) {
        watchdog_refresh();
        /* The byte that wakes is none of a frame, and may come when the core happens to be awake.
         */
        if (power_take_line_wake() || link_has_bytes()) {
            device_listen(uptime_ms());
        }
        take_frames();
        device_continue(uptime_ms());
        if (device_idle(uptime_ms())) {
            counter_tidy();
        }
        wait();
    }
}

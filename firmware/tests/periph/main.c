#include "drivers/cpu.h"
#include "drivers/cycles.h"
#include "drivers/tick.h"
#include "tests/periph/periph.h"
#include "tests/support/report.h"

int main(void) {
    report_start();
    report_message("boardless periph_test");
    cycles_start();
    tick_start(report_hclk_hz());
    test_timers();
    test_exti();
    test_dma();
    test_gpio();
    test_usart_echo();
    test_watchdog();
    report_done();
    for (;;) {
        watchdog_refresh();
        cpu_wait_for_interrupt();
    }
}

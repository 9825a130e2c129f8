/* GPIO: an output pin shows its level at the input register (RM0090, 8.3.10). */
#include "tests/periph/periph.h"

#include <stdint.h>

#include "drivers/cpu.h"
#include "drivers/gpio.h"
#include "tests/support/report.h"

#define LED_PIN          12u /* PD12 on the Discovery board */
#define BSRR_RESET_SHIFT 16u

static uint32_t input_level(void) {
    cpu_synchronise(); /* the input is sampled one bus cycle after the output changed */
    return (GPIOD->IDR >> LED_PIN) & 1u;
}

void test_gpio(void) {
    gpio_use_output(GPIOD, LED_PIN);
    GPIOD->ODR |= 1u << LED_PIN;
    uint32_t high = input_level();
    GPIOD->ODR &= ~(1u << LED_PIN);
    uint32_t low = input_level();
    report_check("gpio_odr_to_idr", high == 1 && low == 0, high << 1 | low);

    GPIOD->BSRR = 1u << LED_PIN;
    high = input_level();
    GPIOD->BSRR = 1u << (LED_PIN + BSRR_RESET_SHIFT);
    low = input_level();
    report_check("gpio_bsrr", high == 1 && low == 0, high << 1 | low);

    GPIOD->BSRR = (1u << LED_PIN) | (1u << (LED_PIN + BSRR_RESET_SHIFT));
    high = input_level();
    report_check("gpio_bsrr_set_wins", high == 1, high);
}

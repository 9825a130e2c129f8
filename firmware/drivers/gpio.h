/* Pins given to a device as alternate functions (RM0090, 8.3; numbers in the STM32F407 datasheet).
 */
#ifndef DRIVERS_GPIO_H
#define DRIVERS_GPIO_H

#include <stdint.h>

#include "drivers/stm32f407_regs.h"

typedef enum { GPIO_PUSH_PULL, GPIO_OPEN_DRAIN } gpio_output;

typedef struct {
    gpio_regs *port;
    uint8_t pin;
    uint8_t alternate;  /* 0 to 15 */
    gpio_output output; /* open drain comes with the pull-up */
} gpio_alternate;

enum {
    GPIO_AF_MCO = 0,
    GPIO_AF_TIM3_TIM5 = 2, /* TIM3 to TIM5 */
    GPIO_AF_I2C1 = 4,
    GPIO_AF_USART2 = 7,
    GPIO_AF_DCMI = 13,
};

/* Clocks the pin's port and hands the pin to its alternate function. */
void gpio_use_alternate(const gpio_alternate *pin);

/* Clocks the port and makes the pin a push-pull output. */
void gpio_use_output(gpio_regs *port, uint32_t pin);

#endif

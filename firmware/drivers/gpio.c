#include "drivers/gpio.h"

#define AFR_PINS       8u
#define AFR_FIELD_BITS 4u

static void start_port(const gpio_regs *port) {
    uint32_t index = ((uint32_t)port - (uint32_t)GPIOA) / GPIO_PORT_STRIDE;
    RCC->AHB1ENR |= RCC_AHB1ENR_GPIOAEN << index;
    /* The port answers two bus cycles after its clock is on; a read-back is that long (7.2.10). */
    (void)RCC->AHB1ENR;
}

static void set_field(volatile uint32_t *reg, uint32_t shift, uint32_t mask, uint32_t value) {
    *reg = (*reg & ~(mask << shift)) | (value << shift);
}

void gpio_use_alternate(const gpio_alternate *pin) {
    start_port(pin->port);
    uint32_t two_bits = 2u * pin->pin;
    if (pin->output == GPIO_OPEN_DRAIN) {
        pin->port->OTYPER |= 1u << pin->pin;
        set_field(&pin->port->PUPDR, two_bits, GPIO_PUPDR_MASK, GPIO_PUPDR_PULL_UP);
    }
    set_field(&pin->port->OSPEEDR, two_bits, GPIO_OSPEEDR_HIGH, GPIO_OSPEEDR_HIGH);
    set_field(&pin->port->AFR[pin->pin / AFR_PINS], AFR_FIELD_BITS * (pin->pin % AFR_PINS),
              GPIO_AFR_MASK, pin->alternate);
    set_field(&pin->port->MODER, two_bits, GPIO_MODER_MASK, GPIO_MODER_ALTERNATE);
}

void gpio_use_output(gpio_regs *port, uint32_t pin) {
    start_port(port);
    set_field(&port->MODER, 2u * pin, GPIO_MODER_MASK, GPIO_MODER_OUTPUT);
}

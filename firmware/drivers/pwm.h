/*
 * Pulses from TIM3 and TIM4 (RM0090, 18.3.9): a servo on PA6 and an RGB LED on PD12, PD13, PD14.
 *
 * A new width is in force at once: the counter is made to start again, so that nobody waits for the
 * end of a period of 20 ms.
 */
#ifndef DRIVERS_PWM_H
#define DRIVERS_PWM_H

#include <stdint.h>

#define PWM_LED_MOST 255u

/* Clocks timers and pins; no pulse yet. timer_hz is the clock of the timers on APB1. */
void pwm_init(uint32_t timer_hz);

/* Pulses of width_us every 20 ms. */
void pwm_servo(uint32_t width_us);
void pwm_servo_off(void);

/* Each colour from 0 to PWM_LED_MOST. */
void pwm_led(uint32_t red, uint32_t green, uint32_t blue);
void pwm_led_off(void);

#endif

#include "drivers/pwm.h"

#include "drivers/gpio.h"

#define MICROSECOND_HZ  1000000u
#define SERVO_PERIOD_US 20000u
#define LED_HZ          1000u

/* PWM mode 1 with a preloaded compare value, in both halves of a CCMR; CCxE of each channel. */
#define CCMR_PWM_BOTH ((6u << 4) | (1u << 3) | (6u << 12) | (1u << 11))
#define CCER_SERVO    (1u << 0)
#define CCER_LED      ((1u << 0) | (1u << 4) | (1u << 8))

static void start_timer(tim_regs *timer, uint32_t prescaler, uint32_t period) {
    timer->PSC = prescaler - 1u;
    timer->ARR = period - 1u;
    timer->CCMR[0] = CCMR_PWM_BOTH;
    timer->CCMR[1] = CCMR_PWM_BOTH;
    timer->CCER = 0;
    timer->CR1 = TIM_CR1_ARPE | TIM_CR1_CEN;
    timer->EGR = TIM_EGR_UG;
}

void pwm_init(uint32_t timer_hz) {
    static const gpio_alternate pins[] = {
        {GPIOA, 6, GPIO_AF_TIM3_TIM5, GPIO_PUSH_PULL},
        {GPIOD, 12, GPIO_AF_TIM3_TIM5, GPIO_PUSH_PULL},
        {GPIOD, 13, GPIO_AF_TIM3_TIM5, GPIO_PUSH_PULL},
        {GPIOD, 14, GPIO_AF_TIM3_TIM5, GPIO_PUSH_PULL},
    };
    RCC->APB1ENR |= RCC_APB1ENR_TIM3EN | RCC_APB1ENR_TIM4EN;
    (void)RCC->APB1ENR;
    start_timer(TIM3, timer_hz / MICROSECOND_HZ, SERVO_PERIOD_US);
    start_timer(TIM4, timer_hz / (LED_HZ * PWM_LED_MOST), PWM_LED_MOST);
    for (uint32_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        gpio_use_alternate(&pins[i]);
    }
}

void pwm_servo(uint32_t width_us) {
    TIM3->CCR[0] = width_us;
    TIM3->EGR = TIM_EGR_UG; /* before the output is on: not a moment of the width before */
    TIM3->CCER = CCER_SERVO;
}

void pwm_servo_off(void) {
    TIM3->CCER = 0;
}

void pwm_led(uint32_t red, uint32_t green, uint32_t blue) {
    TIM4->CCR[0] = red;
    TIM4->CCR[1] = green;
    TIM4->CCR[2] = blue;
    TIM4->EGR = TIM_EGR_UG;
    TIM4->CCER = CCER_LED;
}

void pwm_led_off(void) {
    TIM4->CCER = 0;
}

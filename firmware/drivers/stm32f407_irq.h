/*
 * Interrupts of the STM32F407 in the order of the vector table (RM0090, table 62).
 *
 * One list makes the numbers (DCMI_IRQn), the weak handlers (DCMI_IRQHandler) and the table, so
 * they cannot disagree.
 */
#ifndef DRIVERS_STM32F407_IRQ_H
#define DRIVERS_STM32F407_IRQ_H

#define STM32F407_IRQ_LIST(X)                                                                      \
    X(WWDG_IRQ)                                                                                    \
    X(PVD_IRQ)                                                                                     \
    X(TAMP_STAMP_IRQ)                                                                              \
    X(RTC_WKUP_IRQ)                                                                                \
    X(FLASH_IRQ)                                                                                   \
    X(RCC_IRQ)                                                                                     \
    X(EXTI0_IRQ)                                                                                   \
    X(EXTI1_IRQ)                                                                                   \
    X(EXTI2_IRQ)                                                                                   \
    X(EXTI3_IRQ)                                                                                   \
    X(EXTI4_IRQ)                                                                                   \
    X(DMA1_Stream0_IRQ)                                                                            \
    X(DMA1_Stream1_IRQ)                                                                            \
    X(DMA1_Stream2_IRQ)                                                                            \
    X(DMA1_Stream3_IRQ)                                                                            \
    X(DMA1_Stream4_IRQ)                                                                            \
    X(DMA1_Stream5_IRQ)                                                                            \
    X(DMA1_Stream6_IRQ)                                                                            \
    X(ADC_IRQ)                                                                                     \
    X(CAN1_TX_IRQ)                                                                                 \
    X(CAN1_RX0_IRQ)                                                                                \
    X(CAN1_RX1_IRQ)                                                                                \
    X(CAN1_SCE_IRQ)                                                                                \
    X(EXTI9_5_IRQ)                                                                                 \
    X(TIM1_BRK_TIM9_IRQ)                                                                           \
    X(TIM1_UP_TIM10_IRQ)                                                                           \
    X(TIM1_TRG_COM_TIM11_IRQ)                                                                      \
    X(TIM1_CC_IRQ)                                                                                 \
    X(TIM2_IRQ)                                                                                    \
    X(TIM3_IRQ)                                                                                    \
    X(TIM4_IRQ)                                                                                    \
    X(I2C1_EV_IRQ)                                                                                 \
    X(I2C1_ER_IRQ)                                                                                 \
    X(I2C2_EV_IRQ)                                                                                 \
    X(I2C2_ER_IRQ)                                                                                 \
    X(SPI1_IRQ)                                                                                    \
    X(SPI2_IRQ)                                                                                    \
    X(USART1_IRQ)                                                                                  \
    X(USART2_IRQ)                                                                                  \
    X(USART3_IRQ)                                                                                  \
    X(EXTI15_10_IRQ)                                                                               \
    X(RTC_Alarm_IRQ)                                                                               \
    X(OTG_FS_WKUP_IRQ)                                                                             \
    X(TIM8_BRK_TIM12_IRQ)                                                                          \
    X(TIM8_UP_TIM13_IRQ)                                                                           \
    X(TIM8_TRG_COM_TIM14_IRQ)                                                                      \
    X(TIM8_CC_IRQ)                                                                                 \
    X(DMA1_Stream7_IRQ)                                                                            \
    X(FSMC_IRQ)                                                                                    \
    X(SDIO_IRQ)                                                                                    \
    X(TIM5_IRQ)                                                                                    \
    X(SPI3_IRQ)                                                                                    \
    X(UART4_IRQ)                                                                                   \
    X(UART5_IRQ)                                                                                   \
    X(TIM6_DAC_IRQ)                                                                                \
    X(TIM7_IRQ)                                                                                    \
    X(DMA2_Stream0_IRQ)                                                                            \
    X(DMA2_Stream1_IRQ)                                                                            \
    X(DMA2_Stream2_IRQ)                                                                            \
    X(DMA2_Stream3_IRQ)                                                                            \
    X(DMA2_Stream4_IRQ)                                                                            \
    X(ETH_IRQ)                                                                                     \
    X(ETH_WKUP_IRQ)                                                                                \
    X(CAN2_TX_IRQ)                                                                                 \
    X(CAN2_RX0_IRQ)                                                                                \
    X(CAN2_RX1_IRQ)                                                                                \
    X(CAN2_SCE_IRQ)                                                                                \
    X(OTG_FS_IRQ)                                                                                  \
    X(DMA2_Stream5_IRQ)                                                                            \
    X(DMA2_Stream6_IRQ)                                                                            \
    X(DMA2_Stream7_IRQ)                                                                            \
    X(USART6_IRQ)                                                                                  \
    X(I2C3_EV_IRQ)                                                                                 \
    X(I2C3_ER_IRQ)                                                                                 \
    X(OTG_HS_EP1_OUT_IRQ)                                                                          \
    X(OTG_HS_EP1_IN_IRQ)                                                                           \
    X(OTG_HS_WKUP_IRQ)                                                                             \
    X(OTG_HS_IRQ)                                                                                  \
    X(DCMI_IRQ)                                                                                    \
    X(CRYP_IRQ)                                                                                    \
    X(HASH_RNG_IRQ)                                                                                \
    X(FPU_IRQ)

#define STM32F407_IRQ_NUMBER(name) name##n,
typedef enum { STM32F407_IRQ_LIST(STM32F407_IRQ_NUMBER) STM32F407_IRQ_COUNT } stm32f407_irq;
#undef STM32F407_IRQ_NUMBER

#define STM32F407_IRQ_HANDLER(name) void name##Handler(void);
STM32F407_IRQ_LIST(STM32F407_IRQ_HANDLER)
#undef STM32F407_IRQ_HANDLER

_Static_assert(STM32F407_IRQ_COUNT == 82, "RM0090 table 62 has 82 positions");
_Static_assert(DMA2_Stream1_IRQn == 57 && DCMI_IRQn == 78, "list out of step with RM0090");

#endif

/*
 * STM32F407 device registers that this firmware uses, by the names of RM0090.
 *
 * A device is a struct laid over its addresses. Reserved words are named so; a register that
 * nothing here reads or writes has its place but no bit names.
 */
#ifndef DRIVERS_STM32F407_REGS_H
#define DRIVERS_STM32F407_REGS_H

#include <stddef.h>
#include <stdint.h>

/* ---- PWR: power control (5.4) ---- */

typedef struct {
    volatile uint32_t CR;
    volatile uint32_t CSR;
} pwr_regs;

#define PWR            ((pwr_regs *)0x40007000u)
#define PWR_CR_LPDS    (1u << 0)
#define PWR_CR_CWUF    (1u << 2)
#define PWR_CR_PVDE    (1u << 4)
#define PWR_CR_PLS_2V7 (5u << 5)
#define PWR_CR_DBP     (1u << 8)
#define PWR_CR_FPDS    (1u << 9)
#define PWR_CR_VOS     (1u << 14)
#define PWR_CSR_PVDO   (1u << 2)

/* ---- FLASH: interface and accelerator (3.9) ---- */

typedef struct {
    volatile uint32_t ACR;
    volatile uint32_t KEYR;
    volatile uint32_t OPTKEYR;
    volatile uint32_t SR;
    volatile uint32_t CR;
    volatile uint32_t OPTCR;
} flash_regs;

#define FLASH                 ((flash_regs *)0x40023C00u)
#define FLASH_ACR_LATENCY_5WS 5u
#define FLASH_ACR_PRFTEN      (1u << 8)
#define FLASH_ACR_ICEN        (1u << 9)
#define FLASH_ACR_DCEN        (1u << 10)
#define FLASH_ACR_ICRST       (1u << 11)
#define FLASH_ACR_DCRST       (1u << 12)
#define FLASH_KEYR_KEY1       0x45670123u
#define FLASH_KEYR_KEY2       0xCDEF89ABu
#define FLASH_SR_EOP          (1u << 0)
#define FLASH_SR_ERRORS       (0x1Fu << 4) /* WRPERR, PGAERR, PGPERR, PGSERR, RDERR */
#define FLASH_SR_OPERR        (1u << 1)
#define FLASH_SR_BSY          (1u << 16)
#define FLASH_CR_PG           (1u << 0)
#define FLASH_CR_SER          (1u << 1)
#define FLASH_CR_SNB_SHIFT    3
#define FLASH_CR_PSIZE_WORD   (2u << 8)
#define FLASH_CR_STRT         (1u << 16)
#define FLASH_CR_LOCK         (1u << 31)
#define FLASH_OPTCR_RDP_SHIFT 8
#define FLASH_OPTCR_RDP_MASK  (0xFFu << 8)

/* ---- RCC: reset and clock control (7.3) ---- */

typedef struct {
    volatile uint32_t CR;
    volatile uint32_t PLLCFGR;
    volatile uint32_t CFGR;
    volatile uint32_t CIR;
    volatile uint32_t AHB1RSTR;
    volatile uint32_t AHB2RSTR;
    volatile uint32_t AHB3RSTR;
    uint32_t reserved0;
    volatile uint32_t APB1RSTR;
    volatile uint32_t APB2RSTR;
    uint32_t reserved1[2];
    volatile uint32_t AHB1ENR;
    volatile uint32_t AHB2ENR;
    volatile uint32_t AHB3ENR;
    uint32_t reserved2;
    volatile uint32_t APB1ENR;
    volatile uint32_t APB2ENR;
    uint32_t reserved3[10];
    volatile uint32_t BDCR;
    volatile uint32_t CSR;
} rcc_regs;

_Static_assert(offsetof(rcc_regs, AHB1ENR) == 0x30, "RCC overlay");
_Static_assert(offsetof(rcc_regs, CSR) == 0x74, "RCC overlay");

#define RCC                    ((rcc_regs *)0x40023800u)
#define RCC_CR_HSEON           (1u << 16)
#define RCC_CR_HSERDY          (1u << 17)
#define RCC_CR_PLLON           (1u << 24)
#define RCC_CR_PLLRDY          (1u << 25)
#define RCC_PLLCFGR_PLLM_SHIFT 0
#define RCC_PLLCFGR_PLLN_SHIFT 6
#define RCC_PLLCFGR_PLLP_DIV2  (0u << 16)
#define RCC_PLLCFGR_PLLSRC_HSE (1u << 22)
#define RCC_PLLCFGR_PLLQ_SHIFT 24
#define RCC_CFGR_SW_MASK       (3u << 0)
#define RCC_CFGR_SW_PLL        (2u << 0)
#define RCC_CFGR_SWS_MASK      (3u << 2)
#define RCC_CFGR_SWS_PLL       (2u << 2)
#define RCC_CFGR_HPRE_DIV1     (0u << 4)
#define RCC_CFGR_PPRE1_DIV4    (5u << 10)
#define RCC_CFGR_PPRE2_DIV2    (4u << 13)
#define RCC_CFGR_MCO1_HSI      (0u << 21)
#define RCC_CFGR_MCO1PRE_DIV1  (0u << 24)
#define RCC_AHB1ENR_GPIOAEN    (1u << 0)
#define RCC_AHB1ENR_DMA1EN     (1u << 21)
#define RCC_AHB1ENR_DMA2EN     (1u << 22)
#define RCC_AHB2ENR_DCMIEN     (1u << 0)
#define RCC_APB1ENR_TIM2EN     (1u << 0)
#define RCC_APB1ENR_TIM3EN     (1u << 1)
#define RCC_APB1ENR_TIM4EN     (1u << 2)
#define RCC_APB1ENR_TIM5EN     (1u << 3)
#define RCC_APB1ENR_USART2EN   (1u << 17)
#define RCC_APB1ENR_I2C1EN     (1u << 21)
#define RCC_APB1ENR_PWREN      (1u << 28)
#define RCC_APB1RSTR_I2C1RST   (1u << 21)
#define RCC_APB2ENR_SYSCFGEN   (1u << 14)
#define RCC_BDCR_RTCSEL_LSI    (2u << 8)
#define RCC_BDCR_RTCEN         (1u << 15)
#define RCC_CSR_LSION          (1u << 0)
#define RCC_CSR_LSIRDY         (1u << 1)
#define RCC_CSR_RMVF           (1u << 24)
#define RCC_CSR_BORRSTF        (1u << 25)
#define RCC_CSR_PORRSTF        (1u << 27)
#define RCC_CSR_IWDGRSTF       (1u << 29)

/* ---- GPIO (8.4) ---- */

typedef struct {
    volatile uint32_t MODER;
    volatile uint32_t OTYPER;
    volatile uint32_t OSPEEDR;
    volatile uint32_t PUPDR;
    volatile uint32_t IDR;
    volatile uint32_t ODR;
    volatile uint32_t BSRR;
    volatile uint32_t LCKR;
    volatile uint32_t AFR[2]; /* AFRL, AFRH */
} gpio_regs;

#define GPIO_PORT_STRIDE     0x400u
#define GPIOA                ((gpio_regs *)0x40020000u)
#define GPIOB                ((gpio_regs *)0x40020400u)
#define GPIOC                ((gpio_regs *)0x40020800u)
#define GPIOD                ((gpio_regs *)0x40020C00u)
#define GPIOE                ((gpio_regs *)0x40021000u)
#define GPIO_MODER_MASK      3u
#define GPIO_MODER_OUTPUT    1u
#define GPIO_MODER_ALTERNATE 2u
#define GPIO_OSPEEDR_HIGH    2u
#define GPIO_PUPDR_MASK      3u
#define GPIO_PUPDR_PULL_UP   1u
#define GPIO_AFR_MASK        15u

/* ---- USART (30.6) ---- */

typedef struct {
    volatile uint32_t SR;
    volatile uint32_t DR;
    volatile uint32_t BRR;
    volatile uint32_t CR1;
    volatile uint32_t CR2;
    volatile uint32_t CR3;
    volatile uint32_t GTPR;
} usart_regs;

#define USART2           ((usart_regs *)0x40004400u)
#define USART_SR_IDLE    (1u << 4)
#define USART_SR_RXNE    (1u << 5)
#define USART_SR_TC      (1u << 6)
#define USART_SR_TXE     (1u << 7)
#define USART_CR1_RE     (1u << 2)
#define USART_CR1_TE     (1u << 3)
#define USART_CR1_IDLEIE (1u << 4)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_UE     (1u << 13)
#define USART_CR3_DMAR   (1u << 6)
#define USART_CR3_DMAT   (1u << 7)

/* ---- I2C (27.6) ---- */

typedef struct {
    volatile uint32_t CR1;
    volatile uint32_t CR2;
    volatile uint32_t OAR1;
    volatile uint32_t OAR2;
    volatile uint32_t DR;
    volatile uint32_t SR1;
    volatile uint32_t SR2;
    volatile uint32_t CCR;
    volatile uint32_t TRISE;
} i2c_regs;

#define I2C1            ((i2c_regs *)0x40005400u)
#define I2C_CR1_PE      (1u << 0)
#define I2C_CR1_START   (1u << 8)
#define I2C_CR1_STOP    (1u << 9)
#define I2C_CR1_ACK     (1u << 10)
#define I2C_CR2_ITERREN (1u << 8)
#define I2C_CR2_ITEVTEN (1u << 9)
#define I2C_CR2_DMAEN   (1u << 11)
#define I2C_SR1_SB      (1u << 0)
#define I2C_SR1_ADDR    (1u << 1)
#define I2C_SR1_BTF     (1u << 2)
#define I2C_SR1_RXNE    (1u << 6)
#define I2C_SR1_TXE     (1u << 7)
#define I2C_SR1_BERR    (1u << 8)
#define I2C_SR1_ARLO    (1u << 9)
#define I2C_SR1_AF      (1u << 10)
#define I2C_SR2_BUSY    (1u << 1)
#define I2C_CCR_FS      (1u << 15)

/* ---- DMA (10.5) ---- */

typedef struct {
    volatile uint32_t CR;
    volatile uint32_t NDTR;
    volatile uint32_t PAR;
    volatile uint32_t M0AR;
    volatile uint32_t M1AR;
    volatile uint32_t FCR;
} dma_stream_regs;

typedef struct {
    volatile uint32_t ISR[2];  /* LISR, HISR */
    volatile uint32_t IFCR[2]; /* LIFCR, HIFCR */
    dma_stream_regs STREAM[8];
} dma_regs;

_Static_assert(offsetof(dma_regs, STREAM[1]) == 0x28, "DMA overlay");

#define DMA1                 ((dma_regs *)0x40026000u)
#define DMA2                 ((dma_regs *)0x40026400u)
#define DMA_SxCR_EN          (1u << 0)
#define DMA_SxCR_TEIE        (1u << 2)
#define DMA_SxCR_HTIE        (1u << 3)
#define DMA_SxCR_TCIE        (1u << 4)
#define DMA_SxCR_DIR_P2M     (0u << 6)
#define DMA_SxCR_DIR_M2P     (1u << 6)
#define DMA_SxCR_DIR_M2M     (2u << 6)
#define DMA_SxCR_CIRC        (1u << 8)
#define DMA_SxCR_PINC        (1u << 9)
#define DMA_SxCR_MINC        (1u << 10)
#define DMA_SxCR_PSIZE_BYTE  (0u << 11)
#define DMA_SxCR_PSIZE_WORD  (2u << 11)
#define DMA_SxCR_MSIZE_BYTE  (0u << 13)
#define DMA_SxCR_MSIZE_WORD  (2u << 13)
#define DMA_SxCR_PL_HIGH     (2u << 16)
#define DMA_SxCR_MBURST_INC4 (1u << 23)
#define DMA_SxCR_CHSEL_SHIFT 25
#define DMA_SxFCR_FTH_FULL   (3u << 0)
#define DMA_SxFCR_DMDIS      (1u << 2)
#define DMA_SxFCR_FEIE       (1u << 7)

/* A stream's five flags, shifted to bit 0 (FEIF0 of LISR and so on). */
#define DMA_FLAG_FE   (1u << 0)
#define DMA_FLAG_DME  (1u << 2)
#define DMA_FLAG_TE   (1u << 3)
#define DMA_FLAG_HT   (1u << 4)
#define DMA_FLAG_TC   (1u << 5)
#define DMA_FLAGS_ALL (DMA_FLAG_FE | DMA_FLAG_DME | DMA_FLAG_TE | DMA_FLAG_HT | DMA_FLAG_TC)

/* ---- DCMI: camera interface (15.8) ---- */

typedef struct {
    volatile uint32_t CR;
    volatile uint32_t SR;
    volatile uint32_t RIS;
    volatile uint32_t IER;
    volatile uint32_t MIS;
    volatile uint32_t ICR;
    volatile uint32_t ESCR;
    volatile uint32_t ESUR;
    volatile uint32_t CWSTRT;
    volatile uint32_t CWSIZE;
    volatile uint32_t DR;
} dcmi_regs;

_Static_assert(offsetof(dcmi_regs, DR) == 0x28, "DCMI overlay");

#define DCMI                      ((dcmi_regs *)0x50050000u)
#define DCMI_CR_CAPTURE           (1u << 0)
#define DCMI_CR_CM                (1u << 1)
#define DCMI_CR_CROP              (1u << 2)
#define DCMI_CR_PCKPOL            (1u << 5)
#define DCMI_CR_HSPOL             (1u << 6)
#define DCMI_CR_VSPOL             (1u << 7)
#define DCMI_CR_ENABLE            (1u << 14)
#define DCMI_IT_FRAME             (1u << 0)
#define DCMI_IT_OVR               (1u << 1)
#define DCMI_IT_ERR               (1u << 2)
#define DCMI_IT_VSYNC             (1u << 3)
#define DCMI_IT_LINE              (1u << 4)
#define DCMI_CWSTRT_HOFFCNT_SHIFT 0
#define DCMI_CWSTRT_VST_SHIFT     16
#define DCMI_CWSIZE_CAPCNT_SHIFT  0
#define DCMI_CWSIZE_VLINE_SHIFT   16

/* ---- TIM2 to TIM5: general-purpose timers (18.4) ---- */

typedef struct {
    volatile uint32_t CR1;
    volatile uint32_t CR2;
    volatile uint32_t SMCR;
    volatile uint32_t DIER;
    volatile uint32_t SR;
    volatile uint32_t EGR;
    volatile uint32_t CCMR[2];
    volatile uint32_t CCER;
    volatile uint32_t CNT;
    volatile uint32_t PSC;
    volatile uint32_t ARR;
    uint32_t reserved;
    volatile uint32_t CCR[4];
} tim_regs;

_Static_assert(offsetof(tim_regs, CCR) == 0x34, "TIM overlay");

#define TIM2         ((tim_regs *)0x40000000u)
#define TIM3         ((tim_regs *)0x40000400u)
#define TIM4         ((tim_regs *)0x40000800u)
#define TIM5         ((tim_regs *)0x40000C00u)
#define TIM_CR1_CEN  (1u << 0)
#define TIM_CR1_ARPE (1u << 7)
#define TIM_DIER_UIE (1u << 0)
#define TIM_SR_UIF   (1u << 0)
#define TIM_EGR_UG   (1u << 0)

/* ---- EXTI: external interrupts (12.3) ---- */

typedef struct {
    volatile uint32_t IMR;
    volatile uint32_t EMR;
    volatile uint32_t RTSR;
    volatile uint32_t FTSR;
    volatile uint32_t SWIER;
    volatile uint32_t PR;
} exti_regs;

#define EXTI               ((exti_regs *)0x40013C00u)
#define EXTI_LINE_PVD      16u
#define EXTI_LINE_RTC_WKUP 22u

/* ---- SYSCFG (9.3) ---- */

typedef struct {
    volatile uint32_t MEMRMP;
    volatile uint32_t PMC;
    volatile uint32_t EXTICR[4];
} syscfg_regs;

#define SYSCFG ((syscfg_regs *)0x40013800u)

/* ---- RTC (26.6) ---- */

typedef struct {
    volatile uint32_t TR;
    volatile uint32_t DR;
    volatile uint32_t CR;
    volatile uint32_t ISR;
    volatile uint32_t PRER;
    volatile uint32_t WUTR;
    uint32_t reserved0[3];
    volatile uint32_t WPR;
    volatile uint32_t SSR;
} rtc_regs;

_Static_assert(offsetof(rtc_regs, SSR) == 0x28, "RTC overlay");

#define RTC                     ((rtc_regs *)0x40002800u)
#define RTC_WPR_KEY1            0xCAu
#define RTC_WPR_KEY2            0x53u
#define RTC_WPR_LOCK            0xFFu
#define RTC_CR_WUCKSEL_SPRE     (4u << 0)
#define RTC_CR_BYPSHAD          (1u << 5)
#define RTC_CR_WUTE             (1u << 10)
#define RTC_CR_WUTIE            (1u << 14)
#define RTC_ISR_WUTWF           (1u << 2)
#define RTC_ISR_INITF           (1u << 6)
#define RTC_ISR_INIT            (1u << 7)
#define RTC_ISR_WUTF            (1u << 10)
#define RTC_PRER_PREDIV_A_SHIFT 16

/* ---- IWDG: independent watchdog (21.4) ---- */

typedef struct {
    volatile uint32_t KR;
    volatile uint32_t PR;
    volatile uint32_t RLR;
    volatile uint32_t SR;
} iwdg_regs;

#define IWDG            ((iwdg_regs *)0x40003000u)
#define IWDG_KR_UNLOCK  0x5555u
#define IWDG_KR_REFRESH 0xAAAAu
#define IWDG_KR_START   0xCCCCu
#define IWDG_PR_DIV64   4u
#define IWDG_RLR_MAX    0xFFFu
#define IWDG_SR_PVU     (1u << 0)
#define IWDG_SR_RVU     (1u << 1)

#endif

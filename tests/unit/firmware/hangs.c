/* Ways of not coming to an end, one each by the macro HANG; all of it is bare Cortex-M4. */
#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define SYST_CSR REGISTER(0xE000E010)
#define SYST_RVR REGISTER(0xE000E014)
#define ICSR REGISTER(0xE000ED04)
#define RCC_AHB1ENR REGISTER(0x40023830)
#define RCC_CR REGISTER(0x40023800)
#define DMA2_S0 0x40026410

extern void reset(void);
void Default_Handler(void);
void SysTick_Handler(void);
void busy(void);

__attribute__((section(".isr_vector"), used))
const uint32_t vectors[16] = {
    STACK_TOP, (uint32_t)reset, (uint32_t)Default_Handler, (uint32_t)Default_Handler,
    (uint32_t)Default_Handler, (uint32_t)Default_Handler, (uint32_t)Default_Handler, 0, 0, 0, 0,
    (uint32_t)Default_Handler, 0, 0, (uint32_t)Default_Handler, (uint32_t)SysTick_Handler,
};

uint32_t victim[64];
struct {
    uint8_t line[32];
    uint32_t guard[4];
} camera;
uint8_t source[64];
__attribute__((section(".bss.last"))) uint64_t task_stack[64];

__attribute__((noinline)) static void say(const char *text)
{
    register uint32_t operation __asm__("r0") = 4; /* SYS_WRITE0 */
    register const char *parameter __asm__("r1") = text;
    __asm__ volatile("bkpt 0xab" : "+r"(operation) : "r"(parameter) : "memory");
}

__attribute__((naked, noinline)) void Default_Handler(void)
{
    __asm__("b .");
}

__attribute__((noinline)) void busy(void)
{
    for (;;) {
        __asm__ volatile("");
    }
}

__attribute__((noinline)) void SysTick_Handler(void)
{
    busy();
    __asm__ volatile("");
}

__attribute__((noinline)) static int deep(int n)
{
    volatile char room[64];
    room[0] = (char)n;
    return deep(n + 1) + room[0];
}

__attribute__((noinline)) static void poll(void)
{
    RCC_CR &= ~(1u << 25);
    while (!(RCC_CR & (1u << 25))) { /* PLLRDY of a PLL that is off */
    }
}

__attribute__((noinline)) static void copy(void)
{
    RCC_AHB1ENR |= 1u << 22;
    REGISTER(DMA2_S0 + 0x08) = (uint32_t)source;
    REGISTER(DMA2_S0 + 0x0C) = (uint32_t)camera.line;
    REGISTER(DMA2_S0 + 0x04) = 40;
    REGISTER(DMA2_S0 + 0x00) = 2u << 6 | 1u << 10 | 1u << 9 | 1u; /* memory to memory, bytes */
}

__attribute__((noinline)) static void touch(void)
{
    REGISTER(0x40004408) = 0x16D; /* USART2_BRR, without its clock */
}

__attribute__((noinline)) void work(void)
{
    say("m- ready\nm- half a");
    switch (HANG) {
    case 0: SYST_RVR = 1000; SYST_CSR = 7; for (;;) { } /* the handler never returns */
    case 1: ICSR = 1u << 28; for (;;) { }              /* PendSV has no handler */
    case 2: victim[0] = (uint32_t)deep(0); break;      /* recursion */
    case 3: poll(); break;
    case 4: copy(); for (;;) { }
    case 5: /* a task on a stack of its own, which is a variable */
        __asm__ volatile("msr psp, %0\n movs r0, #2\n msr control, r0\n isb" ::"r"(task_stack + 64) : "r0");
        victim[0] = (uint32_t)deep(0);
        break;
    case 6: REGISTER(0xE000ED0C) = 0x05FA0004; for (;;) { } /* AIRCR.SYSRESETREQ */
    case 7: for (;;) { say("flood\n"); }
    case 9: touch(); for (;;) { }
    case 8: for (;;) { victim[0]++; }
    default: break;
    }
    __asm__ volatile(""); /* no tail call: work stays on the stack */
}

void reset(void)
{
    work();
    for (;;) {
    }
}

/* What a debug probe hears: semihosting, RTT and ITM, one kind by -DKIND. */
#include <stdint.h>

extern uint32_t _estack;
void reset(void);
__attribute__((section(".vectors"), used)) const void *vectors[2] = {&_estack, (void *)reset};

static int call(int operation, const void *argument) {
    register int r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void sleep(void) {
    for (;;) {
        __asm volatile("wfi");
    }
}

#if defined KIND_EXIT
void reset(void) {
    const uint32_t console[3] = {(uint32_t) ":tt", 4, 3};
    const uint32_t write[3] = {(uint32_t)call(1, console), (uint32_t) "hello\n", 6};
    call(5, write);
    const uint32_t code[2] = {0x20026, 3};
    call(0x20, code);
    call(4, "after exit\n");
    sleep();
}
#elif defined KIND_FILES
static char copied[16];

void reset(void) {
    const uint32_t in[3] = {(uint32_t) "in.txt", 0, 6}, out[3] = {(uint32_t) "out.txt", 4, 7};
    const uint32_t outside[3] = {(uint32_t) "../secret", 0, 9};
    uint32_t read[3] = {(uint32_t)call(1, in), (uint32_t)copied, 16};
    uint32_t left = (uint32_t)call(6, read);
    const uint32_t write[3] = {(uint32_t)call(1, out), (uint32_t)copied, 16 - left};
    call(5, write);
    call(2, &write[0]);
    call(4, call(1, outside) == -1 ? "kept out\n" : "opened\n");
    call(0x18, (void *)0x20026);
    sleep();
}
#elif defined KIND_RTT
static struct {
    char identity[16];
    int32_t ups, downs;
    struct {
        const char *name;
        char *text;
        uint32_t size, written, taken, flags;
    } buffers[2];
} volatile _SEGGER_RTT __attribute__((used));
static char up[16], down[16];

static void put(char letter) {
    uint32_t next = (_SEGGER_RTT.buffers[0].written + 1) % sizeof up;
    while (next == _SEGGER_RTT.buffers[0].taken) {
    }
    up[_SEGGER_RTT.buffers[0].written] = letter;
    _SEGGER_RTT.buffers[0].written = next;
}

void reset(void) {
    for (int n = 0; n < 16; n++) {
        _SEGGER_RTT.identity[n] = n < 10 ? "SEGGER RTT"[n] : 0;
    }
    _SEGGER_RTT.ups = _SEGGER_RTT.downs = 1;
    for (int n = 0; n < 2; n++) {
        _SEGGER_RTT.buffers[n].text = n ? down : up;
        _SEGGER_RTT.buffers[n].size = sizeof up;
        _SEGGER_RTT.buffers[n].written = _SEGGER_RTT.buffers[n].taken = 0;
    }
    for (const char *text = "a line that is longer than the buffer\n"; *text; text++) {
        put(*text);
    }
    for (;;) {
        while (_SEGGER_RTT.buffers[1].taken == _SEGGER_RTT.buffers[1].written) {
        }
        put((char)(down[_SEGGER_RTT.buffers[1].taken] - 32));
        _SEGGER_RTT.buffers[1].taken = (_SEGGER_RTT.buffers[1].taken + 1) % sizeof down;
        put('\n');
    }
}
#else
#define STIM(n)  (*(volatile uint32_t *)(0xe0000000 + 4 * (n)))
#define STIM8(n) (*(volatile uint8_t *)(0xe0000000 + 4 * (n)))
#define TER      (*(volatile uint32_t *)0xe0000e00)
#define TCR      (*(volatile uint32_t *)0xe0000e80)

void reset(void) {
    for (const char *text = "by swo\n"; *text && TCR & 1 && TER & 1; text++) {
        while (!(STIM(0) & 1)) {
        }
        STIM8(0) = (uint8_t)*text;
    }
    STIM8(1) = '\n'; /* port 1 is not enabled */
    TER |= 2;
    STIM(1) = 0x0a6b6f; /* "ok\n" and a zero */
    sleep();
}
#endif

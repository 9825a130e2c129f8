/* Two firmwares of one source: what grows the stack is chosen by the compiler's options. */
#ifndef LENGTH
#define LENGTH 8
#endif
#ifndef TICK
#define TICK 4
#endif
#define APART __attribute__((noinline, noclone))

void reset(void);
void tick(void);
__attribute__((section(".isr_vector"), used)) void *const vectors[16] = {
    (void *)0x20020000, (void *)reset, [15] = (void *)tick};
volatile int sink;

APART void leaf(void) { volatile int held[4]; held[0] = 1; sink = held[0]; }
APART void big(void) { volatile int held[LENGTH]; held[0] = 1; sink = held[0]; leaf(); }
#ifdef FRESH
APART void fresh(void) { volatile int held[60]; held[0] = 1; sink = held[0]; leaf(); }
#endif
#ifdef TURNS
APART int turns(int n) { volatile int held = n; return n ? turns(n - 1) + held : 0; }
#endif

APART void middle(void)
{
    volatile int held[6];
    held[0] = 1;
#ifdef EDGE
    big();
#endif
#ifdef FRESH
    fresh();
#endif
    leaf();
    sink = held[0];
}

void tick(void) { volatile int held[TICK]; held[0] = 1; leaf(); sink = held[0]; }

void reset(void)
{
    for (;;) {
        middle();
#ifdef TURNS
        turns(sink);
#endif
        if (sink == 7)
            big();
    }
}

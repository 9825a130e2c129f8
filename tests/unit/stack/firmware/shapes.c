/* One function for every shape that a frame takes. */
#include <alloca.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

volatile int sink;
volatile float float_sink;
volatile unsigned twelve = 12;

APART void leaf(void) { volatile int held[4]; held[3] = 3; sink = held[3]; }
APART void wide(void) { volatile int held[100]; held[99] = 1; sink = held[99]; leaf(); }
APART void wider_than_an_immediate(void) { volatile char held[5001]; held[0] = 1; sink = held[0]; leaf(); }
APART void wider_than_a_halfword(void) { volatile char held[70001]; held[9] = 1; sink = held[9]; leaf(); }

APART void touch(volatile char *bytes, unsigned count) { bytes[count - 1] = 1; sink = bytes[0]; }
APART void takes_alloca(unsigned count) { touch(alloca(count), count); }
APART void takes_vla(unsigned count) { char held[count]; touch(held, count); leaf(); }
APART void aligns(void) { __attribute__((aligned(32))) volatile char held[64]; held[5] = 1; touch(held, 6); }

APART void ends_in_a_tail_call(void) { leaf(); wide(); }

struct driver { void (*receive)(int); void (*send)(int); int (*compare)(const void *, const void *); };
APART void receive(int x) { volatile int held[20]; held[0] = x; sink = held[0]; leaf(); }
APART void send(int x) { volatile int held[40]; held[0] = x; sink = held[0]; }
APART int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
struct driver driver = { receive, send, compare };
struct driver *volatile current = &driver;
APART void goes_through_a_pointer(int x) { volatile int held[4]; held[0] = x; current->receive(x); sink = held[0]; }
APART void ends_through_a_pointer(int x) { sink = x; current->send(x); }

APART void hands_on(void (*done)(int), int x) { volatile int held[5]; held[0] = x; if (done) { done(x); } sink = held[0]; }
APART void hands_on_from_the_stack(int a, int b, int c, int d, void (*done)(int))
{
    volatile int held[6];
    held[0] = a + b + c + d;
    if (done) { done(held[0]); }
    sink = held[0];
}
APART void hands_over(int x)
{
    hands_on(send, x);
    hands_on(receive, x);
    hands_on_from_the_stack(x, 1, 2, 3, receive);
    hands_on_from_the_stack(x, 3, 2, 1, 0);
}

static void (*const steps[])(void) = { leaf, wide, ends_in_a_tail_call };
APART void goes_through_a_table(unsigned which) { volatile int held[2]; held[0] = 1; steps[which % 3](); sink = held[0]; }

APART unsigned factorial(unsigned n) { volatile unsigned held = n; return n < 2 ? 1 : held * factorial(n - 1); }
APART int odd(int n);
APART int even(int n) { volatile int held = n; return held ? odd(n - 1) + held - n : 1; }
APART int odd(int n) { volatile int held = n; return held ? even(n - 1) + held - n : 0; }

APART int switches(int x)
{
    volatile int held[3];
    held[0] = x;
    switch (x) {
    case 0: leaf(); return 1;
    case 1: wide(); return 4;
    case 2: return 9;
    case 3: receive(3); return 22;
    case 4: return 7;
    case 5: return 99;
    case 6: sink = 3; return 1;
    case 7: send(1); return 5;
    case 8: leaf(); return 12;
    default: return held[0];
    }
}

APART int wraps_a_part(int x) { if (x == 0) { return 0; } volatile int held[30]; held[0] = x; leaf(); return held[0]; }
APART int takes_eight(int a, int b, int c, int d, int e, int f, int g, int h) { volatile int held[2]; held[0] = a + b + c + d + e + f + g + h; return held[0]; }
APART int gives_eight(int x) { return takes_eight(x, 1, 2, 3, 4, 5, 6, 7) + 1; }
APART int takes_any(int count, ...)
{
    int sum = 0;
    va_list rest;
    va_start(rest, count);
    while (count--) { sum += va_arg(rest, int); }
    va_end(rest);
    leaf();
    return sum;
}
struct big { int words[30]; };
APART struct big makes_big(int x) { struct big made; memset(&made, x, sizeof made); return made; }
APART int takes_big(struct big given) { volatile int held = given.words[7]; return held; }
APART int passes_big(int x) { struct big made = makes_big(x); return takes_big(made) + made.words[3]; }

APART float keeps_floats(float a, float b)
{
    float c = a * b;
    for (int i = 0; i < 3; i++) { c += a / b; leaf(); float_sink = c; c -= a; }
    return c;
}
APART uint64_t divides(uint64_t a, uint64_t b) { return a / b; }
APART double multiplies(double a, double b) { return a * b - a / b; }

APART void asm_pushes(void) { __asm volatile("push {r0-r3}\n add sp, #16"); }
APART void asm_subtracts(void) { __asm volatile("sub sp, #64\n str r0, [sp]\n add sp, #64" ::: "memory"); leaf(); }
__attribute__((naked, noinline)) void naked(void)
{
    __asm volatile("push {r4-r7, lr}\n sub sp, #36\n bl leaf\n add sp, #36\n pop {r4-r7, pc}");
}
__asm__(".text\n.thumb\n.syntax unified\n.thumb_func\n.global without_cfi\n.type without_cfi, %function\n"
        "without_cfi:\n push {r4-r7, lr}\n sub sp, #20\n bl leaf\n add sp, #20\n pop {r4-r7, pc}\n"
        ".size without_cfi, . - without_cfi\n");
void without_cfi(void);

__attribute__((noreturn, noinline)) void gives_up(int code)
{
    volatile int held[64];
    held[0] = code;
    for (;;) { sink = held[0]; }
}
APART int checks(int x) { if (x > 1000) { gives_up(x); } return x + 1; }

__attribute__((interrupt)) void SysTick_Handler(void) { volatile int held[6]; held[0] = 1; sink = held[0]; leaf(); }

int main(void)
{
    int n = (int)twelve;
    leaf(); wide(); wider_than_an_immediate();
    takes_alloca(twelve); takes_vla(twelve); aligns(); ends_in_a_tail_call();
    goes_through_a_pointer(3); ends_through_a_pointer(4); goes_through_a_table(twelve);
    hands_over(5);
    sink = (int)factorial(twelve) + even(n);
    for (int x = 0; x < 10; x++) { sink = switches(x); }
    sink = wraps_a_part(n) + gives_eight(3) + takes_any(3, 1, 2, 3) + passes_big(n) + checks(n);
    float_sink = keeps_floats(1.5f, 2.0f);
    sink = (int)divides(123456789123u, twelve) + (int)multiplies(n, n + 1);
    asm_pushes(); asm_subtracts(); naked(); without_cfi();
    if (n == 99) { wider_than_a_halfword(); }
    return 0;
}

/* Vectors, start-up and what newlib asks of a system. A run ends in `finish`. */
#include <stdint.h>
#include <sys/types.h>

extern uint32_t __data_start, __data_end, __data_load, __bss_start, __bss_end, __stack_top;
extern void (*__init_array_start[])(void);
extern void (*__init_array_end[])(void);

int main(void);

__attribute__((noinline)) void finish(void)
{
    for (;;) {
        __asm volatile("nop");
    }
}

__attribute__((noinline)) void unexpected(void)
{
    for (;;) {
        __asm volatile("nop");
    }
}

void __attribute__((weak)) SysTick_Handler(void)
{
    unexpected();
}

void Reset_Handler(void)
{
    const volatile uint32_t *from = &__data_load;
    for (volatile uint32_t *to = &__data_start; to < &__data_end; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = &__bss_start; to < &__bss_end; to++) {
        *to = 0;
    }
    for (void (**call)(void) = __init_array_start; call < __init_array_end; call++) {
        (*call)();
    }
    main();
    finish();
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))&__stack_top,
    Reset_Handler,
    unexpected,
    unexpected,
    [15] = SysTick_Handler,
};

static char heap[16384];
static size_t heap_used;

void *_sbrk(ptrdiff_t more)
{
    void *from = heap + heap_used;
    heap_used += (size_t)more;
    return from;
}

int _write(int file, const char *text, int size) { (void)file, (void)text; return size; }
int _read(int file, char *text, int size) { (void)file, (void)text, (void)size; return 0; }
int _close(int file) { (void)file; return -1; }
int _fstat(int file, void *state) { (void)file, (void)state; return -1; }
int _isatty(int file) { (void)file; return 1; }
off_t _lseek(int file, off_t offset, int whence) { (void)file, (void)offset, (void)whence; return 0; }
int _kill(int process, int signal) { (void)process, (void)signal; return -1; }
int _getpid(void) { return 1; }
void _exit(int code) { (void)code; finish(); for (;;) {} }

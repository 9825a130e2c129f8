/* What newlib costs: formatted output, sorting, numbers from text, the heap, a way out. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

static char text[96];
static int numbers[24];
static jmp_buf way_out;
volatile int seven = 7;
volatile double result;

APART int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
APART void prints(void) { snprintf(text, sizeof text, "%d %s %x %5u|%-8s|%c", seven, "of", 85, 12u, "left", 'x'); }
APART void prints_numbers(void) { snprintf(text, sizeof text, "%f %g %e", 2.5 * seven, 1e-7, 12345.678); }
APART void sorts(void)
{
    for (int i = 0; i < 24; i++) { numbers[i] = (i * seven) % 24; }
    qsort(numbers, 24, sizeof numbers[0], by_value);
}
APART void reads(void) { result = strtod("1.25e3", NULL) + strtol("-77", NULL, 10); }
APART void allocates(void)
{
    char *some = malloc((size_t)seven * 10);
    if (some) { memset(some, 1, 8); some = realloc(some, 200); free(some); }
}
APART void leaves(void) { longjmp(way_out, 1); }

int main(void)
{
    prints();
    prints_numbers();
    sorts();
    reads();
    allocates();
    printf("%s\n", text);
    if (setjmp(way_out) == 0) { leaves(); }
    return 0;
}

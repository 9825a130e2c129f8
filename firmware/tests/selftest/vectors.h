/* A vector table in SRAM, so that each topic brings handlers of its own. */
#ifndef TESTS_SELFTEST_VECTORS_H
#define TESTS_SELFTEST_VECTORS_H

#include <stdint.h>

typedef void (*vector)(void);

/* Copies the table out of Flash, points VTOR at the copy and checks that it took. */
void vectors_relocate(void);

void vectors_install(uint32_t exception, vector handler);
vector vectors_installed(uint32_t exception);

#endif

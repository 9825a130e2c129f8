/* The order in which handlers ran. */
#ifndef TESTS_SELFTEST_EVENTS_H
#define TESTS_SELFTEST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

void events_clear(void);
void events_add(uint32_t event);
uint32_t events_count(void);

/* Whether exactly these happened, in this order. */
bool events_are(const uint32_t *expected, uint32_t count);

#endif

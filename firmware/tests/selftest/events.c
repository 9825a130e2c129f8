#include "tests/selftest/events.h"

#define EVENT_LIMIT 32u

static volatile uint32_t events[EVENT_LIMIT];
static volatile uint32_t count;

void events_clear(void) {
    count = 0;
}

void events_add(uint32_t event) {
    if (count < EVENT_LIMIT) {
        events[count] = event;
        count++;
    }
}

uint32_t events_count(void) {
    return count;
}

bool events_are(const uint32_t *expected, uint32_t expected_count) {
    if (count != expected_count) {
        return false;
    }
    for (uint32_t i = 0; i < expected_count; i++) {
        if (events[i] != expected[i]) {
            return false;
        }
    }
    return true;
}

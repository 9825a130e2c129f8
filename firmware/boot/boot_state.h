/*
 * The largest security counter of a confirmed image, in sector 3: records of a value and its
 * complement, of which a power cut can spoil only the last. A counter may go up 2,048 times.
 */
#ifndef BOOT_STATE_H
#define BOOT_STATE_H

#include <stdint.h>

/* 0 where none was ever kept. */
uint32_t boot_state_counter(void);

/* Keeps a counter that is larger. 0, or a flash_error: there is no room, or it was not written. */
int boot_state_raise(uint32_t counter);

#endif

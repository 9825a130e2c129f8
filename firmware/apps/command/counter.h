/*
 * The counter of the last command, through resets: a high-water mark in the Flash.
 *
 * Sectors 1 and 2 (16 KB each) hold records of two words, a mark and its complement; the largest
 * whole mark counts. Counters up to the mark are used up after a reset, so a mark is written ahead
 * of those that are acted on, 256 at a time. A word that a power cut left half written makes its
 * record none. When one sector is full the other goes on, and the full one is erased when the
 * device is idle: never between a command and what it does.
 */
#ifndef APP_COUNTER_H
#define APP_COUNTER_H

#include <stdint.h>

/* Finds the mark. To be called first. */
void counter_start(void);

/* The counter of the last command that was acted on; after a reset the mark. */
uint32_t counter_last(void);

/* Takes a counter above the last one. 0, or COMMAND_BUSY where no record can be written. */
int counter_take(uint32_t counter);

/* Writes ahead, and erases the sector that is used up: up to half a second. */
void counter_tidy(void);

#endif

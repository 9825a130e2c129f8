/*
 * The device: takes frames, acts on commands, answers each with an r- line, and goes into safe mode
 * when it must. Safe mode is left only by a good command.
 *
 *   r- counter=<of the packet, 0 if unsigned> code=<command_code> last=<counter> state=<s> why=<w>
 */
#ifndef APP_DEVICE_H
#define APP_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/command/link.h"

#define DEVICE_LINK_LOSS_MS 5000u /* the gateway sends at least a ping every two seconds */
#define DEVICE_MOST_BAD     5u    /* in a row */

typedef enum {
    DEVICE_WHY_NONE = 0, /* not safe */
    DEVICE_WHY_POWER = 1,
    DEVICE_WHY_WATCHDOG = 2,
    DEVICE_WHY_BROWN_OUT = 3,
    DEVICE_WHY_LINK = 4,
    DEVICE_WHY_COMMANDS = 5,
} device_why;

/* Starts in safe mode, for the reason that the reset had. */
void device_start(device_why why);

/* One frame: acts, then answers. */
void device_take(link_frame *frame, uint32_t now_ms);

/* Somebody is about to send: Stop mode waits. */
void device_listen(uint32_t now_ms);

/* What time brings: the scene goes on, the link is lost. */
void device_continue(uint32_t now_ms);

/* Whether nothing moves and nothing is to be answered: Stop mode may begin. */
bool device_idle(uint32_t now_ms);

/* From the interrupt of the voltage detector: whether the supply is too low for the motor. */
void device_supply(bool low);

#endif

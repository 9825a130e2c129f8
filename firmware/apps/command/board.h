/* From reset to a device that listens. */
#ifndef APP_COMMAND_BOARD_H
#define APP_COMMAND_BOARD_H

#include "apps/command/device.h"

/*
 * Starts clock, console, display, outputs, RTC, link and watchdog. 0, or the error that was
 * printed: without a clock or a link there is nothing to listen with. why is what the reset was.
 */
int board_start(device_why *why);

#endif

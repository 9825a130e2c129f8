/* From reset to a camera that delivers frames. */
#ifndef APP_BOARD_H
#define APP_BOARD_H

/*
 * Starts clock, console, ticks, cycle counter, sensor and camera interface, and says so on the
 * console. Returns 0, or the error that was printed: the board can then not capture.
 */
int board_start(void);

/*
 * After a frame of another shape or time: the sensor may have lost its supply, and its settings
 * with it. Writes them again where that is so, and says so on the console.
 */
void board_restore_camera(void);

#endif

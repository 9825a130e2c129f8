/*
 * What the device does at the moment: an animation, the servo and the LED, each until its time is
 * over. Times are those of uptime_ms().
 */
#ifndef APP_SCENE_H
#define APP_SCENE_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/command/command.h"

/* Starts what an anim, servo or led command says. COMMAND_OK, or COMMAND_RANGE: no such number. */
int scene_begin(const command *wanted, uint32_t now_ms);

/* Goes on: the next picture, and the end of what is over. */
void scene_continue(uint32_t now_ms);

/* Motor off, LED off, an empty window. */
void scene_stop(void);

/* Motor off, LED off, and the picture that says so. */
void scene_show_safe(void);

/* Whether anything moves, shines or is drawn. */
bool scene_active(void);

#endif

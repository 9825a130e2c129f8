/* The independent watchdog (RM0090, chapter 21): a reset after four seconds without a refresh. */
#ifndef APP_WATCHDOG_H
#define APP_WATCHDOG_H

/* It cannot be stopped again, and runs in Stop mode too. */
void watchdog_start(void);
void watchdog_refresh(void);

#endif

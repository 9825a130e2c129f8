/*
 * Frames through memory, for a board without a camera: a debug probe, or a debugger's port of an
 * emulator, writes them into the variable frame_mailbox.
 *
 * Protocol. The firmware sets magic once, and state to EMPTY when it wants a frame. The host then
 * writes everything from sequence to luma (or, but for FRAME_MAILBOX_LUMA, the window that the
 * firmware names), and at last sets state to FULL. The firmware sets taken to the frame's sequence
 * number and state to BUSY; neither side touches what is the other's turn.
 */
#ifndef APP_FRAME_MAILBOX_H
#define APP_FRAME_MAILBOX_H

#include <stdint.h>

#define FRAME_MAILBOX_MAGIC 0x424C4D42u /* "BMLB" in memory */

enum frame_mailbox_state {
    FRAME_MAILBOX_BUSY = 0,  /* the firmware wants no frame now */
    FRAME_MAILBOX_EMPTY = 1, /* the host's turn */
    FRAME_MAILBOX_FULL = 2,  /* the firmware's turn */
};

enum frame_mailbox_format {
    FRAME_MAILBOX_LUMA = 1,   /* [28,28] in luma: the firmware shows it four times its size */
    FRAME_MAILBOX_YUYV = 2,   /* [112,112] in Y U Y V, written to window */
    FRAME_MAILBOX_TENSOR = 3, /* tensor_bytes that the network reads as they are, in window */
};

#define FRAME_MAILBOX_PRINT_LAYERS (1u << 0) /* flags: an l- line a layer (layer_print.h) */
#define FRAME_MAILBOX_DUMP_LAYER   (1u << 1) /* flags: the d- lines of dump_layer too */

#define FRAME_MAILBOX_SIDE 28u

typedef struct {
    uint32_t magic;
    uint32_t state;
    uint32_t taken;
    uint32_t window; /* address of what does not stand here; valid while EMPTY */
    uint32_t sequence;
    uint32_t format;
    uint32_t flags;
    uint32_t dump_layer;
    uint8_t luma[FRAME_MAILBOX_SIDE * FRAME_MAILBOX_SIDE];
    uint32_t tensor_bytes; /* of the network's input; set once, 0 where the window is too small */
} frame_mailbox_data;

/* volatile: the other side is no part of the program. */
extern volatile frame_mailbox_data frame_mailbox;

#endif

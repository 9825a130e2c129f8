/*
 * What the device can be told: the schema of commands. The same in Python:
 * host_tools/boardless/gateway/command.py; tests hold the two together.
 */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

#include <stdint.h>

enum command_kind {
    COMMAND_ANIM = 0,
    COMMAND_SERVO = 1,
    COMMAND_LED = 2,
    COMMAND_STOP = 3,
    COMMAND_PING = 4,
    COMMAND_STATUS = 5,
    COMMAND_KINDS
};

/* Fields, by their keys in CBOR. */
enum command_field {
    COMMAND_FIELD_CMD = 0,
    COMMAND_FIELD_ID = 1,
    COMMAND_FIELD_DUR = 2,
    COMMAND_FIELD_ANGLE = 3,
    COMMAND_FIELD_RGB = 4,
    COMMAND_FIELDS
};

#define COMMAND_LARGEST_ID     255u
#define COMMAND_LARGEST_DUR_MS 3600000u
#define COMMAND_LARGEST_ANGLE  180u
#define COMMAND_LARGEST_RGB    0xFFFFFFu

/* What is answered. Only COMMAND_OK was acted on. */
enum command_code {
    COMMAND_OK = 0,
    COMMAND_REPEATED = 1, /* the counter of the last one that was acted on: its answer was lost */
    COMMAND_OLD = 2,
    COMMAND_DAMAGED = 3, /* COBS or CRC: noise on the line */
    COMMAND_TOO_LONG = 4,
    COMMAND_VERSION = 5,
    COMMAND_UNSIGNED = 6,  /* another key, or none */
    COMMAND_MALFORMED = 7, /* signed, but no command */
    COMMAND_RANGE = 8,     /* a value that the schema or the device does not have */
    COMMAND_BUSY = 9,      /* the counter's Flash is full until it is erased */
    COMMAND_NO_KEY = 10,
    COMMAND_CODES
};

typedef struct {
    uint32_t values[COMMAND_FIELDS];
    uint32_t present; /* a bit for each field */
} command;

/* The name of a kind, as JSON has it: "anim". */
const char *command_kind_name(uint32_t kind);
const char *command_field_name(uint32_t field);

/* Takes a field once. 0, or COMMAND_MALFORMED for an unknown one or one that is there. */
int command_take(command *taken, uint32_t field, uint32_t value);

/* Whether the command has exactly the fields of its kind, each in its range. A command_code. */
int command_check(const command *checked);

#endif

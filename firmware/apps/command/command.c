#include "apps/command/command.h"

#define BIT(field) (1u << (field))

static const char *const kind_names[COMMAND_KINDS] = {"anim", "servo", "led",
                                                      "stop", "ping",  "status"};
static const char *const field_names[COMMAND_FIELDS] = {"cmd", "id", "dur", "angle", "rgb"};
static const uint32_t largest[COMMAND_FIELDS] = {COMMAND_KINDS - 1u, COMMAND_LARGEST_ID,
                                                 COMMAND_LARGEST_DUR_MS, COMMAND_LARGEST_ANGLE,
                                                 COMMAND_LARGEST_RGB};
static const uint32_t fields_of[COMMAND_KINDS] = {
    [COMMAND_ANIM] = BIT(COMMAND_FIELD_ID) | BIT(COMMAND_FIELD_DUR),
    [COMMAND_SERVO] = BIT(COMMAND_FIELD_DUR) | BIT(COMMAND_FIELD_ANGLE),
    [COMMAND_LED] = BIT(COMMAND_FIELD_DUR) | BIT(COMMAND_FIELD_RGB),
};

const char *command_kind_name(uint32_t kind) {
    return kind_names[kind];
}

const char *command_field_name(uint32_t field) {
    return field_names[field];
}

int command_take(command *taken, uint32_t field, uint32_t value) {
    if (field >= COMMAND_FIELDS || taken->present & BIT(field)) {
        return COMMAND_MALFORMED;
    }
    taken->present |= BIT(field);
    taken->values[field] = value;
    return 0;
}

int command_check(const command *checked) {
    uint32_t kind = checked->values[COMMAND_FIELD_CMD];
    if (!(checked->present & BIT(COMMAND_FIELD_CMD)) || kind >= COMMAND_KINDS) {
        return COMMAND_MALFORMED;
    }
    if (checked->present != (fields_of[kind] | BIT(COMMAND_FIELD_CMD))) {
        return COMMAND_MALFORMED;
    }
    for (uint32_t field = 0; field < COMMAND_FIELDS; field++) {
        uint32_t least = field == COMMAND_FIELD_DUR ? 1u : 0u;
        uint32_t value = checked->values[field];
        if (checked->present & BIT(field) && (value < least || value > largest[field])) {
            return COMMAND_RANGE;
        }
    }
    return COMMAND_OK;
}

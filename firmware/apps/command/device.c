#include "apps/command/device.h"

#include "apps/command/counter.h"
#include "apps/command/key.h"
#include "apps/command/power.h"
#include "apps/command/scene.h"
#include "apps/common/console.h"
#include "drivers/pwm.h"

/* After the last byte the line is listened to for so long before Stop mode. */
#define LINGER_MS 20u

static device_why why_safe;
static uint32_t last_good_ms;
static uint32_t last_heard_ms;
static uint32_t bad_in_a_row;
static uint32_t accepted;
static uint32_t refused;
static volatile bool brown_out;

static void go_safe(device_why why) {
    why_safe = why;
    scene_show_safe();
    print_line *line = console_begin();
    print_text(line, "m- safe");
    print_field(line, "why", why);
    console_end(line);
}

void device_start(device_why why) {
    go_safe(why);
}

static void print_status(void) {
    power_times times;
    power_take_times(&times);
    print_line *line = console_begin();
    print_text(line, "m- status");
    print_field(line, "accepted", accepted);
    print_field(line, "refused", refused);
    print_field(line, "run_ms", times.run_ms);
    print_field(line, "sleep_ms", times.sleep_ms);
    print_field(line, "stop_ms", times.stop_ms);
    console_end(line);
}

static void answer(const packet *answered, int code) {
    print_line *line = console_begin();
    print_text(line, "r-");
    print_field(line, "counter", answered->counter);
    print_field(line, "code", (uint32_t)code);
    print_field(line, "last", counter_last());
    print_field(line, "state", scene_active());
    print_field(line, "why", why_safe);
    console_end(line);
}

static int act(const packet *accepted_packet, uint32_t now_ms) {
    const command *wanted = &accepted_packet->command;
    uint32_t kind = wanted->values[COMMAND_FIELD_CMD];
    int err = counter_take(accepted_packet->counter);
    if (err) {
        return err;
    }
    if (why_safe != DEVICE_WHY_NONE || kind == COMMAND_STOP) {
        scene_stop();
    }
    why_safe = DEVICE_WHY_NONE;
    return scene_begin(wanted, now_ms);
}

static int decode(link_frame *frame, packet *decoded) {
    *decoded = (packet){0};
    if (frame->size_bytes > PACKET_MOST_FRAME) {
        return COMMAND_TOO_LONG;
    }
    if (!key_is_there()) {
        return COMMAND_NO_KEY;
    }
    return packet_decode(frame->bytes, frame->size_bytes, key_bytes(), counter_last(), decoded);
}

static void count_bad(int code) {
    refused++;
    if (code == COMMAND_REPEATED) {
        return; /* an answer was lost: nobody's fault */
    }
    bad_in_a_row++;
    if (bad_in_a_row >= DEVICE_MOST_BAD && why_safe == DEVICE_WHY_NONE) {
        go_safe(DEVICE_WHY_COMMANDS);
    }
}

void device_take(link_frame *frame, uint32_t now_ms) {
    packet decoded;
    last_heard_ms = now_ms;
    int code = decode(frame, &decoded);
    if (code == COMMAND_OK && !brown_out) {
        code = act(&decoded, now_ms);
    } else if (code == COMMAND_OK) {
        code = COMMAND_BUSY; /* the supply cannot carry what was asked for */
    }
    if (code == COMMAND_OK) {
        accepted++;
        bad_in_a_row = 0;
        last_good_ms = now_ms;
    } else {
        count_bad(code);
    }
    answer(&decoded, code);
    if (code == COMMAND_OK && decoded.command.values[COMMAND_FIELD_CMD] == COMMAND_STATUS) {
        print_status();
    }
}

void device_listen(uint32_t now_ms) {
    last_heard_ms = now_ms;
}

void device_continue(uint32_t now_ms) {
    scene_continue(now_ms);
    if (brown_out && why_safe != DEVICE_WHY_BROWN_OUT) {
        go_safe(DEVICE_WHY_BROWN_OUT);
    }
    /* Without a link the last scene goes on for its time. */
    bool silent = now_ms - last_good_ms >= DEVICE_LINK_LOSS_MS;
    if (silent && why_safe == DEVICE_WHY_NONE && !scene_active()) {
        go_safe(DEVICE_WHY_LINK);
    }
}

bool device_idle(uint32_t now_ms) {
    return !scene_active() && !link_in_frame() && now_ms - last_heard_ms >= LINGER_MS;
}

void device_supply(bool low) {
    brown_out = low;
    if (low) {
        pwm_servo_off();
        pwm_led_off();
    }
}

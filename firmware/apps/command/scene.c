#include "apps/command/scene.h"

#include <stddef.h>

#include "apps/command/animation.h"
#include "apps/command/display.h"
#include "drivers/pwm.h"

#define SAFE_PICTURE   255u
#define SERVO_LEAST_US 1000u
#define SERVO_MOST_US  2000u
#define COLOUR_MASK    0xFFu

typedef struct {
    bool on;
    uint32_t begin_ms;
    uint32_t duration_ms;
} track;

static track picture_track;
static track servo_track;
static track led_track;
static const animation *playing;
static uint32_t shown_frame;
static uint8_t pixels[ANIMATION_MOST_BYTES];

static void begin(track *started, const command *wanted, uint32_t now_ms) {
    started->on = true;
    started->begin_ms = now_ms;
    started->duration_ms = wanted->values[COMMAND_FIELD_DUR];
}

static bool is_over(const track *running, uint32_t now_ms) {
    return running->on && now_ms - running->begin_ms >= running->duration_ms;
}

static void show_frame(const animation *shown, uint32_t frame) {
    shown_frame = frame;
    if (animation_decode(shown, frame, pixels)) {
        display_show(NULL, 0); /* never a picture that is half another */
    } else {
        display_show(pixels, shown->side);
    }
}

static int begin_animation(const command *wanted, uint32_t now_ms) {
    const animation *found = animation_find(wanted->values[COMMAND_FIELD_ID]);
    if (found == NULL) {
        return COMMAND_RANGE;
    }
    playing = found;
    begin(&picture_track, wanted, now_ms);
    show_frame(found, 0);
    return COMMAND_OK;
}

static void begin_servo(const command *wanted, uint32_t now_ms) {
    uint32_t range_us = SERVO_MOST_US - SERVO_LEAST_US;
    uint32_t angle = wanted->values[COMMAND_FIELD_ANGLE];
    pwm_servo(SERVO_LEAST_US + range_us * angle / COMMAND_LARGEST_ANGLE);
    begin(&servo_track, wanted, now_ms);
}

static void begin_led(const command *wanted, uint32_t now_ms) {
    uint32_t rgb = wanted->values[COMMAND_FIELD_RGB];
    pwm_led(rgb >> 16, rgb >> 8 & COLOUR_MASK, rgb & COLOUR_MASK);
    begin(&led_track, wanted, now_ms);
}

int scene_begin(const command *wanted, uint32_t now_ms) {
    switch (wanted->values[COMMAND_FIELD_CMD]) {
    case COMMAND_ANIM:
        return begin_animation(wanted, now_ms);
    case COMMAND_SERVO:
        begin_servo(wanted, now_ms);
        break;
    case COMMAND_LED:
        begin_led(wanted, now_ms);
        break;
    default:
        break;
    }
    return COMMAND_OK;
}

static void continue_picture(uint32_t now_ms) {
    if (is_over(&picture_track, now_ms)) {
        picture_track.on = false;
        display_show(NULL, 0);
    } else if (picture_track.on) {
        uint32_t elapsed_ms = now_ms - picture_track.begin_ms;
        uint32_t frame = elapsed_ms / playing->frame_ms % playing->frames;
        if (frame != shown_frame) {
            show_frame(playing, frame);
        }
    }
}

void scene_continue(uint32_t now_ms) {
    continue_picture(now_ms);
    if (is_over(&servo_track, now_ms)) {
        servo_track.on = false;
        pwm_servo_off();
    }
    if (is_over(&led_track, now_ms)) {
        led_track.on = false;
        pwm_led_off();
    }
    display_continue();
}

static void all_off(void) {
    pwm_servo_off();
    pwm_led_off();
    picture_track.on = servo_track.on = led_track.on = false;
}

void scene_stop(void) {
    all_off();
    display_show(NULL, 0);
}

void scene_show_safe(void) {
    all_off();
    const animation *safe = animation_find(SAFE_PICTURE);
    if (safe != NULL) {
        show_frame(safe, 0);
    }
}

bool scene_active(void) {
    return picture_track.on || servo_track.on || led_track.on || display_busy();
}

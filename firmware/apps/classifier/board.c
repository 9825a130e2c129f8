#include "apps/classifier/board.h"

#include "apps/classifier/frame_capture.h"
#include "apps/common/console.h"
#include "apps/common/version.h"
#include "drivers/clock.h"
#include "drivers/cycles.h"
#include "drivers/i2c.h"
#include "drivers/ov7670.h"
#include "drivers/tick.h"
#include "generated/model.h"

_Static_assert(MODEL_INPUT_IS_PICTURE,
               "the network's input is no picture of the camera's: build boardless-mailbox.elf");

static int start_core(void) {
    int err = clock_start();
    uint32_t hclk_hz = err ? CLOCK_HSI_HZ : CLOCK_HCLK_HZ;
    tick_start(hclk_hz);
    cycles_start();
    console_start(err ? CLOCK_HSI_HZ : CLOCK_APB1_HZ);

    print_line *line = console_begin();
    print_text(line, "m- boardless firmware " FIRMWARE_VERSION);
    print_field(line, "hclk", hclk_hz);
    console_end(line);
    if (err) {
        console_error("clock", "start", err);
    }
    return err;
}

static int start_camera(void) {
    i2c_init(CLOCK_APB1_HZ);
    frame_capture_init(); /* before the sensor is spoken to: it hands out XCLK */
    ov7670_identity identity = {0};
    int err = ov7670_probe(&identity);
    if (err) {
        console_error("camera", "probe", err);
        return err;
    }
    err = ov7670_configure();
    if (err) {
        console_error("camera", "configure", err);
        return err;
    }
    print_line *line = console_begin();
    print_text(line, "m- camera ov7670 pid=");
    print_hex(line, identity.pid, 2);
    print_text(line, " ver=");
    print_hex(line, identity.ver, 2);
    console_end(line);
    return 0;
}

void board_restore_camera(void) {
    int err = ov7670_check();
    if (err) {
        console_error("camera", "lost", err);
        (void)ov7670_configure(); /* in vain: the next frame is as wrong, and tried again */
    }
}

int board_start(void) {
    int err = start_core();
    if (err) {
        return err;
    }
    return start_camera();
}

/*
 * frame_capture -> preprocess -> nn_run -> result_print, for ever.
 *
 * The next frame comes in while the network runs: preprocessing is over long before the camera's
 * vertical blanking is, so that no frame of the camera is missed.
 */
#include "apps/classifier/answer.h"
#include "apps/classifier/board.h"
#include "apps/classifier/fault_injection.h"
#include "apps/classifier/frame_capture.h"
#include "apps/classifier/preprocess.h"
#include "apps/classifier/result_print.h"
#include "apps/common/console.h"
#include "drivers/cpu.h"
#include "drivers/cycles.h"
#include "generated/model.h"
#include "nn/nn.h"

static frame_capture capture;
static uint8_t scratch[MODEL_SCRATCH_BYTES] __attribute__((aligned(4)));
MODEL_CHECK_SCRATCH(scratch);

/* One frame through all stages. An error ends its way: what was not captured is never inferred. */
static void classify_next_frame(void) {
    captured_frame taken;
    int err = frame_capture_wait(&capture, &taken);
    if (err) {
        console_error("capture", frame_capture_error_name(err), err);
        if (err == FRAME_CAPTURE_ERROR_SHORT || err == FRAME_CAPTURE_ERROR_TIMING) {
            board_restore_camera();
        }
        frame_capture_start(&capture);
        return;
    }
    frame_times times = {.armed = taken.armed_cycles, .captured = taken.complete_cycles};

    times.preprocess_start = cycles_now();
    uint8_t *const input = nn_input(&model_network, scratch);
    preprocess_input(&taken, input);
    answer_keep(input);
    times.preprocessed = cycles_now();
    frame_capture_start(&capture); /* the pixels are used up */

    nn_result result;
    err = nn_run(&model_network, input, scratch, sizeof scratch, taken.observer, NULL, &result);
    times.inferred = cycles_now();
    if (err) {
        console_error("infer", "run", err);
        return;
    }
    result_print(taken.number, &result, scratch, &times);
    fault_injection_after_frame(taken.number);
}

int main(void) {
    if (board_start()) {
        console_flush();
        cpu_stop();
    }
    frame_capture_start(&capture);
    for (;;) {
        classify_next_frame();
    }
}

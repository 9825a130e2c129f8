/*
 * The network layer by layer on frames from the camera. Per frame:
 *
 *   m- input bytes=784 crc32=<8 hex digits>
 *   l- layer=<i> bytes=<n> crc32=<8 hex digits>     one a layer
 *   r- frame=<n> class=<n> score=<n> ...            infer_us includes printing the lines above
 *
 * A host that runs the reference on the same frame finds the first layer that differs.
 */
#include "apps/classifier/answer.h"
#include "apps/classifier/board.h"
#include "apps/classifier/frame_capture.h"
#include "apps/classifier/layer_print.h"
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

static void print_input(const uint8_t *input) {
    print_line *line = console_begin();
    print_text(line, "m- input");
    layer_print_checksum(line, input, PREPROCESS_BYTES);
}

static void check_next_frame(void) {
    captured_frame taken;
    frame_capture_start(&capture);
    int err = frame_capture_wait(&capture, &taken);
    if (err) {
        console_error("capture", frame_capture_error_name(err), err);
        return;
    }
    frame_times times = {.armed = taken.armed_cycles, .captured = taken.complete_cycles};
    times.preprocess_start = cycles_now();
    uint8_t *const input = nn_input(&model_network, scratch);
    preprocess_input(&taken, input);
    answer_keep(input);
    times.preprocessed = cycles_now();
    print_input(input);

    nn_result result;
    err = nn_run(&model_network, input, scratch, sizeof scratch, layer_print, NULL, &result);
    times.inferred = cycles_now();
    if (err) {
        console_error("infer", "run", err);
        return;
    }
    result_print(taken.number, &result, scratch, &times);
}

int main(void) {
    if (board_start()) {
        console_flush();
        cpu_stop();
    }
    for (;;) {
        check_next_frame();
    }
}

#include "apps/classifier/result_print.h"

#include <stdbool.h>

#include "apps/classifier/answer.h"
#include "apps/common/console.h"
#include "drivers/cycles.h"
#include "generated/model.h"

/* An inference takes time: where the counter stands still (QEMU) there are no times to tell. */
static bool counts_cycles(const frame_times *times) {
    return times->inferred != times->preprocessed;
}

void result_print(uint32_t frame_number, const nn_result *result, const void *scratch,
                  const frame_times *times) {
    print_line *line = console_begin();
    print_text(line, "r-");
    print_field(line, "frame", frame_number);
    answer_print(line, result, scratch);
    if (!counts_cycles(times)) {
        console_end(line);
        return;
    }
    const uint32_t infer_us = cycles_to_us(times->inferred - times->preprocessed);
    if (MODEL_TASK == MODEL_TASK_VALUES) {
        print_field(line, "infer_us", infer_us);
        console_end(line);
        return;
    }
    print_field(line, "capture_us", cycles_to_us(times->captured - times->armed));
    print_field(line, "preprocess_us", cycles_to_us(times->preprocessed - times->preprocess_start));
    print_field(line, "infer_us", infer_us);
    print_field(line, "total_us", cycles_to_us(times->inferred - times->captured));
    console_end(line);
}

#include "apps/classifier/result_print.h"

#include <stdbool.h>

#include "apps/common/console.h"
#include "drivers/cycles.h"

/* An inference takes time: where the counter stands still (QEMU) there are no times to tell. */
static bool counts_cycles(const frame_times *times) {
    return times->inferred != times->preprocessed;
}

void result_print(uint32_t frame_number, const nn_result *result, const frame_times *times) {
    print_line *line = console_begin();
    print_text(line, "r-");
    print_field(line, "frame", frame_number);
    print_field(line, "class", result->class_index);
    print_field(line, "score", result->score);
    if (!counts_cycles(times)) {
        console_end(line);
        return;
    }
    print_field(line, "capture_us", cycles_to_us(times->captured - times->armed));
    print_field(line, "preprocess_us", cycles_to_us(times->preprocessed - times->preprocess_start));
    print_field(line, "infer_us", cycles_to_us(times->inferred - times->preprocessed));
    print_field(line, "total_us", cycles_to_us(times->inferred - times->captured));
    console_end(line);
}

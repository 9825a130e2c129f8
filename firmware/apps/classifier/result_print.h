/* Stage 4: one r- line a frame, printed last. */
#ifndef APP_RESULT_PRINT_H
#define APP_RESULT_PRINT_H

#include <stdint.h>

#include "nn/nn.h"

/* When a frame passed each stage, in cycles (drivers/cycles.h). */
typedef struct {
    uint32_t armed;
    uint32_t captured; /* stamped in the interrupt that ends the frame */
    uint32_t preprocess_start;
    uint32_t preprocessed;
    uint32_t inferred;
} frame_times;

/*
 *   r- frame=12 class=7 score=93 capture_us=33012 preprocess_us=180 infer_us=9120 total_us=9310
 *
 * What stands between frame and the times is the network's answer (answer.h); scratch is nn_run's.
 * capture_us: armed to frame complete; total_us: frame complete to result ready. No times at all
 * where the cycle counter stands still; behind values, which may be long, infer_us alone.
 */
void result_print(uint32_t frame_number, const nn_result *result, const void *scratch,
                  const frame_times *times);

#endif

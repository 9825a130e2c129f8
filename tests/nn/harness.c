/* The firmware's view of nn, without the firmware: one frame in, every output out. */
#include "model.h"
#include "nn.h"

#define OUTPUT_BYTES 16384u

/* The test reads and writes these by their symbols. */
uint8_t harness_frame[MODEL_INPUT_HEIGHT * MODEL_INPUT_WIDTH * MODEL_INPUT_CHANNELS];
int8_t harness_outputs[OUTPUT_BYTES];
uint32_t harness_output_bytes;
nn_result harness_result;

static uint32_t scratch[MODEL_SCRATCH_BYTES / 4u];
MODEL_CHECK_SCRATCH(scratch);

uint32_t harness_layer; /* of which harness_kernel tells */

uint32_t harness_scratch_bytes(void);
const char *harness_kernel(void);
int harness_run(void);
int harness_observe(void);

static void keep(void *context, uint32_t layer, const int8_t *output, uint32_t size_bytes) {
    (void)context;
    (void)layer;
    for (uint32_t i = 0; i < size_bytes && harness_output_bytes < OUTPUT_BYTES; i++) {
        harness_outputs[harness_output_bytes++] = output[i];
    }
}

uint32_t harness_scratch_bytes(void) {
    return nn_scratch_bytes(&model_network);
}

const char *harness_kernel(void) {
    return nn_kernel(&model_network, harness_layer);
}

int harness_run(void) {
    return nn_run(&model_network, harness_frame, scratch, sizeof scratch, 0, 0, &harness_result);
}

int harness_observe(void) {
    harness_output_bytes = 0;
    return nn_run(&model_network, harness_frame, scratch, sizeof scratch, keep, 0, &harness_result);
}

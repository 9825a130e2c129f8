/*
 * nn: runs a quantised network on one frame.
 *
 * The model is constant data that the exporter generates (firmware/generated/model.c). Weights are
 * 8 or 4 bits, one scale a channel; activations are int8 with a zero point; sums are int32,
 * requantised in the rounding that the model names. Every layer's output equals that of the integer
 * reference (boardless_models) bit for bit, whichever back end runs it (nn_backend.h).
 *
 *     static uint32_t scratch[MODEL_SCRATCH_BYTES / 4u];
 *     nn_result result;
 *     int err = nn_run(&model_network, frame, scratch, sizeof scratch, NULL, NULL, &result);
 *
 * There is no heap and no state: everything lives in the caller's scratch while nn_run runs.
 */
#ifndef NN_H
#define NN_H

#include <stdint.h>

/* Who runs the layers, chosen when the firmware is built (nn_backend.h). */
#define NN_BACKEND_PLAIN 0
#define NN_BACKEND_M4    1
#define NN_BACKEND_CMSIS 2
#if !defined(NN_BACKEND)
#define NN_BACKEND NN_BACKEND_PLAIN
#endif

/* Generated constant data, in section .model; its fields are in nn_model.h. */
typedef struct nn_model nn_model;

/* What nn_run returns when it could not infer. */
typedef enum {
    NN_ERROR_SCRATCH_SIZE = -1,      /* scratch_size is less than nn_scratch_bytes(model) */
    NN_ERROR_SCRATCH_ALIGNMENT = -2, /* scratch does not start at a multiple of four */
    NN_ERROR_LAYER = -3,             /* a layer of a kind, or of weights, that nn does not know */
} nn_error;

/* The winning class (the lowest index on a tie) and its softmax as a percentage, 0 to 100. */
typedef struct {
    uint16_t class_index;
    uint8_t score;
} nn_result;

/*
 * Called after each layer with that layer's output, [H,W,C] int8. The bytes are gone when it
 * returns.
 */
typedef void (*nn_observer)(void *context, uint32_t layer, const int8_t *output,
                            uint32_t size_bytes);

/* How much scratch this model needs; the generated MODEL_SCRATCH_BYTES is the same number. */
uint32_t nn_scratch_bytes(const nn_model *model);

/* Where the input [H,W,C] stands in the scratch: written there, it need not be copied. */
uint8_t *nn_input(const nn_model *model, void *scratch);

/* The output [H,W,C] int8 in the scratch, as the last nn_run left it. */
const int8_t *nn_output(const nn_model *model, const void *scratch);

/* Which kernel runs this layer, as "m4 conv2d"; one that begins with "plain" is the slow one. */
const char *nn_kernel(const nn_model *model, uint32_t layer);

/*
 * Infer the class of one frame.
 *
 * input:    [H,W,C] uint8, of the shape of the model's input; nn_input(model, scratch), or
 * elsewhere. scratch:  scratch_size bytes at a multiple of four; its content before the call is of
 * no account. observer: may be NULL; with an observer the run is slower and the result the same.
 * Returns 0 with *result filled in, or a negative nn_error with *result untouched.
 */
int nn_run(const nn_model *model, const uint8_t *input, void *scratch, uint32_t scratch_size,
           nn_observer observer, void *context, nn_result *result);

#endif

#include "nn.h"

#include <stdbool.h>
#include <string.h>

#include "nn_assert.h"
#include "nn_backend.h"
#include "nn_model.h"
#include "nn_score.h"

/* The top bit of four bytes: flipped, a byte from 0 to 255 becomes one from -128 to 127. */
#define TOP_BITS 0x80808080u

uint32_t nn_scratch_bytes(const nn_model *model) {
    uint32_t size = model->arena_bytes;
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nn_layer *layer = &model->layers[i];
        const uint32_t end = NN_WORD_BYTES * layer->work + nn_backend_work_bytes(model, layer);
        size = end > size ? end : size;
    }
    return size;
}

uint8_t *nn_input(const nn_model *model, void *scratch) {
    return (uint8_t *)scratch + model->tensors[model->input].offset;
}

const int8_t *nn_output(const nn_model *model, const void *scratch) {
    return (const int8_t *)scratch + model->tensors[model->output].offset;
}

const char *nn_kernel(const nn_model *model, uint32_t layer) {
    return nn_backend_kernel(model, &model->layers[layer]);
}

static bool is_known(const nn_model *model) {
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nn_layer *layer = &model->layers[i];
        const bool halves = layer->kind == NN_CONV2D && layer->bits == 4u;
        if (layer->kind > NN_SELECT || (layer->bits != 8u && !halves)) {
            return false;
        }
    }
    return model->layer_count > 0u;
}

/* [H,W,C] uint8 as int8: a byte less 128; the frame may stand where the tensor does. */
static void load_frame(const nn_tensor *tensor, const uint8_t *frame, int8_t *arena) {
    const uint32_t size = nn_size_of(tensor);
    int8_t *to = arena + tensor->offset;
    uint32_t i = 0;
    for (; i + sizeof(uint32_t) <= size; i += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, frame + i, sizeof word);
        word ^= TOP_BITS;
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < size; i++) {
        to[i] = (int8_t)(frame[i] - 128);
    }
}

int nn_run(const nn_model *model, const uint8_t *input, void *scratch, uint32_t scratch_size,
           nn_observer observer, void *context, nn_result *result) {
    if (!is_known(model)) {
        return NN_ERROR_LAYER;
    }
    NN_ASSERT(NN_IS_ALIGNED(scratch));
    if (!NN_IS_ALIGNED(scratch)) {
        return NN_ERROR_SCRATCH_ALIGNMENT;
    }
    if (scratch_size < nn_scratch_bytes(model)) {
        return NN_ERROR_SCRATCH_SIZE;
    }
    int8_t *arena = scratch;
    load_frame(&model->tensors[model->input], input, arena);
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nn_layer *layer = &model->layers[i];
        NN_ASSERT(NN_IS_ALIGNED(layer->weights) && NN_IS_ALIGNED(layer->bias) &&
                  NN_IS_ALIGNED(layer->multiplier));
        nn_backend_run(model, layer, arena, arena + NN_WORD_BYTES * layer->work);
        if (observer) {
            const nn_tensor *out = nn_output_of(model, layer);
            observer(context, i, arena + out->offset, nn_size_of(out));
        }
    }
    const nn_tensor *logits = &model->tensors[model->output];
    *result = nn_score(model, arena + logits->offset, nn_size_of(logits));
    return 0;
}

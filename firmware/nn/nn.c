#include "nn.h"

#include <stdbool.h>
#include <stddef.h>

#include "nn_conv2d.h"
#include "nn_dense.h"
#include "nn_depthwise.h"
#include "nn_model.h"
#include "nn_score.h"
#include "nn_tensor.h"

/* The scratch: two tensors that take turns as input and output, and room to work in. */
typedef struct {
    uint32_t tensor_words[2];
    uint32_t work_words; /* expanded weights; the int8 output that the observer sees */
} plan;

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* [H,W,12]: the frame as the first layer reads it. */
static nn_tensor input_of(const nn_model *model) {
    const nn_tensor input = {NULL, model->height, model->width, NN_UNFOLD_CHANNELS};
    return input;
}

/* [H,W,C] of what the layer makes of this input; a dense layer's is [1,1,C]. */
static nn_tensor output_of(const nn_layer *layer, const nn_tensor *in) {
    nn_tensor out = {NULL, 1u, 1u, layer->out_channels};
    if (layer->kind != NN_KIND_DENSE) {
        out.height = in->height / layer->pool;
        out.width = in->width / layer->pool;
    }
    return out;
}

static uint32_t work_words(const nn_layer *layer, const nn_tensor *in, const nn_tensor *out) {
    const uint32_t observed = (out->height * out->width * out->channels + 3u) / 4u;
    if (layer->kind != NN_KIND_CONV2D) {
        return observed;
    }
    return larger(observed, nn_conv2d_weight_words(layer, in->channels));
}

static plan plan_of(const nn_model *model) {
    nn_tensor in = input_of(model);
    plan needed = {{nn_tensor_words(&in), 0u}, 0u};

    for (uint32_t i = 0; i < model->layer_count; i++) {
        const nn_layer *layer = &model->layers[i];
        const nn_tensor out = output_of(layer, &in);
        uint32_t *words = &needed.tensor_words[(i + 1u) % 2u];
        if (layer->kind != NN_KIND_DENSE) {
            *words = larger(*words, nn_tensor_words(&out));
        }
        needed.work_words = larger(needed.work_words, work_words(layer, &in, &out));
        in = out;
    }
    return needed;
}

static uint32_t plan_bytes(const plan *needed) {
    return 4u * (needed->tensor_words[0] + needed->tensor_words[1] + needed->work_words);
}

uint32_t nn_scratch_bytes(const nn_model *model) {
    const plan needed = plan_of(model);
    return plan_bytes(&needed);
}

static bool are_weights_known(const nn_layer *layer) {
    return layer->bits == 8u || (layer->bits == 4u && layer->kind != NN_KIND_DEPTHWISE);
}

/* Every layer known, and the dense one last and nowhere else. */
static bool is_known(const nn_model *model) {
    for (uint32_t i = 0; i < model->layer_count; i++) {
        const bool last = i + 1u == model->layer_count;
        const nn_layer *layer = &model->layers[i];
        if (layer->kind > NN_KIND_DENSE || (layer->kind == NN_KIND_DENSE) != last ||
            !are_weights_known(layer)) {
            return false;
        }
    }
    return model->layer_count > 0u;
}

static void run_layer(const nn_layer *layer, const nn_tensor *in, const nn_tensor *out,
                      nn_pair *work) {
    nn_tensor_clear_border(out);
    if (layer->kind == NN_KIND_DEPTHWISE) {
        nn_depthwise(layer, in, out);
        return;
    }
    if (layer->pool == 2u) {
        nn_conv2d_pool(layer, in, work, out);
    } else {
        nn_conv2d(layer, in, work, out);
    }
}

int nn_run(const nn_model *model, const uint8_t *input, void *scratch, uint32_t scratch_size,
           nn_observer observer, void *context, nn_result *result) {
    if (!is_known(model)) {
        return NN_ERROR_LAYER;
    }
    if ((uintptr_t)scratch % sizeof(nn_pair) != 0u) {
        return NN_ERROR_SCRATCH_ALIGNMENT;
    }
    const plan needed = plan_of(model);
    if (scratch_size < plan_bytes(&needed)) {
        return NN_ERROR_SCRATCH_SIZE;
    }
    nn_pair *const slots[2] = {scratch, (nn_pair *)scratch + needed.tensor_words[0]};
    nn_pair *const work = slots[1] + needed.tensor_words[1];
    int8_t *const bytes = (int8_t *)work;

    nn_tensor in = input_of(model);
    in.words = slots[0];
    nn_tensor_unfold(&in, input);

    const uint32_t last = model->layer_count - 1u;
    for (uint32_t i = 0; i < last; i++) {
        const nn_layer *layer = &model->layers[i];
        nn_tensor out = output_of(layer, &in);
        out.words = slots[(i + 1u) % 2u];
        run_layer(layer, &in, &out, work);
        if (observer) {
            nn_tensor_store(&out, layer->zero_point, bytes);
            observer(context, i, bytes, out.height * out.width * out.channels);
        }
        in = out;
    }
    const uint32_t classes = model->layers[last].out_channels;
    nn_dense(&model->layers[last], &in, bytes);
    if (observer) {
        observer(context, last, bytes, classes);
    }
    *result = nn_score(model, bytes, classes);
    return 0;
}

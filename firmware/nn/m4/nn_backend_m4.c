#include "nn_backend.h"
#include "nn_m4.h"
#include "nn_scale.h"
#include "plain/nn_plain.h"

typedef enum { PLAIN, CONV2D, GATHER, WINOGRAD, DENSE, DEPTHWISE, ADD } choice;

/* A back end for any model is built with NN_M4_KERNELS=NN_M4_ALL. */
#if !defined(NN_M4_KERNELS)
#include "generated/model.h"
#define NN_M4_KERNELS (MODEL_M4_KERNELS)
#endif
#define HAS(kernel) ((NN_M4_KERNELS & (kernel)) != 0u)

static choice choice_of(const nn_model *model, const nn_layer *layer) {
    if (HAS(NN_M4_DENSE) && nn_m4_takes_dense(model, layer)) {
        return DENSE;
    }
    if (HAS(NN_M4_WINOGRAD) && nn_m4_takes_winograd(model, layer)) {
        return WINOGRAD;
    }
    if (HAS(NN_M4_CONV2D) && nn_m4_takes_conv2d(model, layer)) {
        return CONV2D;
    }
    if (HAS(NN_M4_GATHER) && nn_m4_takes_gather(model, layer)) {
        return GATHER;
    }
    if (HAS(NN_M4_DEPTHWISE) && nn_m4_takes_depthwise(model, layer)) {
        return DEPTHWISE;
    }
    return HAS(NN_M4_ADD) && nn_m4_takes_add(model, layer) ? ADD : PLAIN;
}

const char *nn_backend_kernel(const nn_model *model, const nn_layer *layer) {
    static const char *const names[] = {
        [CONV2D] = "m4 conv2d", [GATHER] = "m4 gather",       [WINOGRAD] = "m4 winograd",
        [DENSE] = "m4 dense",   [DEPTHWISE] = "m4 depthwise", [ADD] = "m4 add",
    };
    const choice chosen = choice_of(model, layer);
    return chosen == PLAIN ? nn_plain_kernel(layer) : names[chosen];
}

uint32_t nn_backend_work_bytes(const nn_model *model, const nn_layer *layer) {
    switch (choice_of(model, layer)) {
    case CONV2D:
        return nn_m4_conv2d_bytes(model, layer);
    case GATHER:
        return nn_m4_gather_bytes(model, layer);
    case WINOGRAD:
        return nn_m4_winograd_bytes(model, layer);
    case DENSE:
        return nn_m4_dense_bytes(model, layer);
    case DEPTHWISE:
        return nn_m4_depthwise_bytes(model, layer);
    case ADD:
    case PLAIN:
        break;
    }
    return 0u;
}

/* The kernels end where int8 does; an activation that ends before clamps what they have made. */
static void clamp(const nn_layer *layer, int8_t *out, uint32_t size) {
    if (layer->least == INT8_MIN && layer->most == INT8_MAX) {
        return;
    }
    for (uint32_t i = 0; i < size; i++) {
        out[i] = (int8_t)nn_clamp(out[i], layer->least, layer->most);
    }
}

void nn_backend_run(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work) {
    const int8_t *in = arena + nn_input_of(model, layer)->offset;
    int8_t *out = arena + nn_output_of(model, layer)->offset;
    switch (choice_of(model, layer)) {
    case CONV2D:
        nn_m4_conv2d(model, layer, in, out, work);
        break;
    case GATHER:
        nn_m4_gather(model, layer, in, out, work);
        break;
    case WINOGRAD:
        nn_m4_winograd(model, layer, in, out, work);
        break;
    case DENSE:
        nn_m4_dense(model, layer, in, out, work);
        return;
    case DEPTHWISE:
        nn_m4_depthwise(model, layer, in, out, work);
        break;
    case ADD:
        nn_m4_add(model, layer, in, arena + model->tensors[layer->second].offset, out);
        break;
    case PLAIN:
        nn_plain_run(model, layer, arena);
        return;
    }
    clamp(layer, out, nn_size_of(nn_output_of(model, layer)));
}

#include "nn_backend.h"
#include "nn_m4.h"
#include "nn_scale.h"
#include "plain/nn_plain.h"

/* A back end for any model is built with NN_M4_KERNELS=NN_M4_ALL. */
#if !defined(NN_M4_KERNELS)
#include "generated/model.h"
#define NN_M4_KERNELS (MODEL_M4_KERNELS)
#endif

/* Constant, so that a kernel which no layer takes is not linked. */
#define HAS(kernel) ((NN_M4_KERNELS & (kernel)) != 0u)

const char *nn_backend_kernel(const nn_model *model, const nn_layer *layer) {
    static const char *const names[] = {
        [NN_FAST_CONV2D] = "m4 conv2d",       [NN_FAST_GATHER] = "m4 gather",
        [NN_FAST_WINOGRAD] = "m4 winograd",   [NN_FAST_DENSE] = "m4 dense",
        [NN_FAST_DEPTHWISE] = "m4 depthwise", [NN_FAST_ADD] = "m4 add",
        [NN_FAST_POOL] = "m4 pool",
    };
    (void)model;
    return layer->fast == NN_FAST_NONE ? nn_plain_kernel(layer) : names[layer->fast];
}

uint32_t nn_backend_work_bytes(const nn_model *model, const nn_layer *layer) {
    switch ((nn_fast)layer->fast) {
    case NN_FAST_CONV2D:
        return HAS(NN_M4_CONV2D) ? nn_m4_conv2d_bytes(model, layer) : 0u;
    case NN_FAST_GATHER:
        return HAS(NN_M4_GATHER) ? nn_m4_gather_bytes(model, layer) : 0u;
    case NN_FAST_WINOGRAD:
        return HAS(NN_M4_WINOGRAD) ? nn_m4_winograd_bytes(model, layer) : 0u;
    case NN_FAST_DENSE:
        return HAS(NN_M4_DENSE) ? nn_m4_dense_bytes(model, layer) : 0u;
    case NN_FAST_DEPTHWISE:
        return HAS(NN_M4_DEPTHWISE) ? nn_m4_depthwise_bytes(model, layer) : 0u;
    case NN_FAST_ADD:
    case NN_FAST_POOL:
    case NN_FAST_NONE:
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

/* Whether a kernel ran that leaves the clamp to its caller. */
static bool run_fast(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work) {
    const int8_t *in = arena + nn_input_of(model, layer)->offset;
    int8_t *out = arena + nn_output_of(model, layer)->offset;
    if (HAS(NN_M4_CONV2D) && layer->fast == NN_FAST_CONV2D) {
        nn_m4_conv2d(model, layer, in, out, work);
    } else if (HAS(NN_M4_GATHER) && layer->fast == NN_FAST_GATHER) {
        nn_m4_gather(model, layer, in, out, work);
    } else if (HAS(NN_M4_WINOGRAD) && layer->fast == NN_FAST_WINOGRAD) {
        nn_m4_winograd(model, layer, in, out, work);
    } else if (HAS(NN_M4_DEPTHWISE) && layer->fast == NN_FAST_DEPTHWISE) {
        nn_m4_depthwise(model, layer, in, out, work);
    } else if (HAS(NN_M4_ADD) && layer->fast == NN_FAST_ADD) {
        nn_m4_add(model, layer, in, arena + model->tensors[layer->second].offset, out);
    } else {
        return false;
    }
    return true;
}

void nn_backend_run(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work) {
    const int8_t *in = arena + nn_input_of(model, layer)->offset;
    int8_t *out = arena + nn_output_of(model, layer)->offset;
    if (run_fast(model, layer, arena, work)) {
        clamp(layer, out, nn_size_of(nn_output_of(model, layer)));
    } else if (HAS(NN_M4_DENSE) && layer->fast == NN_FAST_DENSE) {
        nn_m4_dense(model, layer, in, out, work);
    } else if (HAS(NN_M4_POOL) && layer->fast == NN_FAST_POOL) {
        nn_m4_pool(model, layer, in, out);
    } else {
        nn_plain_run(model, layer, arena);
    }
}

/*
 * Arm's CMSIS-NN as a back end: convolutions, depthwise and fully connected layers, with their
 * pool.
 *
 * CMSIS-NN wants shifts as words, depthwise weights with the channel last and 8-bit weights: what
 * differs is made in the scratch, layer by layer. Its rounding is chosen when it is built:
 * CMSIS_NN_USE_SINGLE_ROUNDING for a model of single rounding, without for double.
 */
#include <arm_nnfunctions.h>
#include <stdbool.h>

#include "nn_assert.h"
#include "nn_backend.h"
#include "plain/nn_plain.h"

/* Where a layer's work lies: each part begins at a multiple of four. */
typedef struct {
    uint32_t weights; /* after the shifts */
    uint32_t pooled;  /* the values before the pool */
    uint32_t context; /* CMSIS-NN's own */
    uint32_t end;
} room;

/* A layer's tensors and windows in CMSIS-NN's words. */
typedef struct {
    cmsis_nn_dims in;
    cmsis_nn_dims filter;
    cmsis_nn_dims bias;
    cmsis_nn_dims conv; /* before the pool */
    cmsis_nn_dims out;
    cmsis_nn_tile stride;
    cmsis_nn_tile padding;
    cmsis_nn_activation clamp;
    int32_t in_offset;
    int32_t out_offset;
} shapes;

static bool is_point(const nn_layer *layer) {
    return layer->rows == 1u && layer->columns == 1u && layer->stride_rows == 1u &&
           layer->stride_columns == 1u;
}

static shapes shapes_of(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer), *out = nn_output_of(model, layer);
    shapes found = {
        .in = {1, in->height, in->width, in->channels},
        .filter = {out->channels, layer->rows, layer->columns, in->channels},
        .bias = {1, 1, 1, out->channels},
        .conv = {1, out->height * layer->pool, out->width * layer->pool, out->channels},
        .out = {1, out->height, out->width, out->channels},
        .stride = {layer->stride_columns, layer->stride_rows},
        .padding = {layer->left, layer->top},
        .clamp = {layer->least, layer->most},
        .in_offset = -in->zero_point,
        .out_offset = out->zero_point,
    };
    if (is_point(layer)) {
        /* One by one over all pixels in a row: what the pool leaves out is made too. */
        found.conv.h = in->height;
        found.conv.w = in->width;
    }
    return found;
}

static bool takes(const nn_layer *layer) {
    return layer->kind == NN_CONV2D || layer->kind == NN_DEPTHWISE;
}

static bool is_dense(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer);
    return layer->kind == NN_CONV2D && in->height == 1u && in->width == 1u && is_point(layer) &&
           layer->pool == 1u;
}

static cmsis_nn_conv_params conv_params(const shapes *of) {
    const cmsis_nn_conv_params params = {of->in_offset, of->out_offset, of->stride,
                                         of->padding,   {1, 1},         of->clamp};
    return params;
}

static cmsis_nn_dw_conv_params depthwise_params(const shapes *of) {
    const cmsis_nn_dw_conv_params params = {of->in_offset, of->out_offset, of->out.c / of->in.c,
                                            of->stride,    of->padding,    {1, 1},
                                            of->clamp};
    return params;
}

static uint32_t words(int32_t bytes) {
    return ((uint32_t)bytes + 3u) & ~3u;
}

static int32_t context_bytes(const nn_layer *layer, const shapes *of) {
    if (layer->kind == NN_DEPTHWISE) {
        const cmsis_nn_dw_conv_params params = depthwise_params(of);
        return arm_depthwise_conv_wrapper_s8_get_buffer_size(&params, &of->in, &of->filter,
                                                             &of->conv);
    }
    const cmsis_nn_conv_params params = conv_params(of);
    return arm_convolve_wrapper_s8_get_buffer_size(&params, &of->in, &of->filter, &of->conv);
}

static int32_t weight_count(const nn_layer *layer, const shapes *of) {
    const int32_t each = layer->kind == NN_DEPTHWISE ? 1 : of->in.c;
    return of->out.c * of->filter.h * of->filter.w * each;
}

static room room_of(const nn_layer *layer, const shapes *of) {
    const bool copied = layer->kind == NN_DEPTHWISE || layer->bits == 4u;
    const bool pooled = layer->pool > 1u;
    room parts;
    parts.weights = sizeof(int32_t) * (uint32_t)of->out.c;
    parts.pooled = parts.weights + (copied ? words(weight_count(layer, of)) : 0u);
    parts.context = parts.pooled + (pooled ? words(of->conv.h * of->conv.w * of->conv.c) : 0u);
    parts.end = parts.context + words(context_bytes(layer, of));
    return parts;
}

const char *nn_backend_kernel(const nn_model *model, const nn_layer *layer) {
    if (!takes(layer)) {
        return nn_plain_kernel(layer);
    }
    if (layer->kind == NN_DEPTHWISE) {
        return "cmsis depthwise";
    }
    return is_dense(model, layer) ? "cmsis dense" : "cmsis conv2d";
}

uint32_t nn_backend_work_bytes(const nn_model *model, const nn_layer *layer) {
    if (!takes(layer)) {
        return 0u;
    }
    const shapes of = shapes_of(model, layer);
    return room_of(layer, &of).end;
}

/* 4-bit weights as bytes; depthwise weights [out,rows,columns] as [rows,columns,out]. */
static const int8_t *weights_for(const nn_layer *layer, const shapes *of, int8_t *copy) {
    const uint32_t count = (uint32_t)weight_count(layer, of);
    if (layer->kind == NN_DEPTHWISE) {
        const uint32_t outputs = (uint32_t)of->out.c, taps = count / outputs;
        for (uint32_t i = 0; i < count; i++) {
            copy[i % taps * outputs + i / taps] = layer->weights[i];
        }
        return copy;
    }
    if (layer->bits == 4u) {
        for (uint32_t i = 0; i < count; i++) {
            copy[i] = (int8_t)nn_half_weight(layer->weights, i);
        }
        return copy;
    }
    return layer->weights;
}

static arm_cmsis_nn_status run(const nn_model *model, const nn_layer *layer, const shapes *of,
                               const cmsis_nn_per_channel_quant_params *scaling,
                               const cmsis_nn_context *context, const int8_t *weights,
                               const int8_t *in, int8_t *out) {
    if (layer->kind == NN_DEPTHWISE) {
        const cmsis_nn_dw_conv_params params = depthwise_params(of);
        const cmsis_nn_dims filter = {1, of->filter.h, of->filter.w, of->out.c};
        return arm_depthwise_conv_wrapper_s8(context, &params, scaling, &of->in, in, &filter,
                                             weights, &of->bias, layer->bias, &of->conv, out);
    }
    if (is_dense(model, layer)) {
        const cmsis_nn_fc_params params = {of->in_offset, 0, of->out_offset, of->clamp};
        const cmsis_nn_dims filter = {of->in.c, 1, 1, of->out.c};
        return arm_fully_connected_per_channel_s8(context, &params, scaling, &of->in, in, &filter,
                                                  weights, &of->bias, layer->bias, &of->conv, out);
    }
    const cmsis_nn_conv_params params = conv_params(of);
    return arm_convolve_wrapper_s8(context, &params, scaling, &of->in, in, &of->filter, weights,
                                   &of->bias, layer->bias, &of->conv, out);
}

static void pool(const shapes *of, const int8_t *in, int8_t *out) {
    const cmsis_nn_context context = {0, 0};
    const cmsis_nn_pool_params params = {{2, 2}, {0, 0}, {INT8_MIN, INT8_MAX}};
    const cmsis_nn_dims filter = {1, 2, 2, 1};
    arm_max_pool_s8(&context, &params, &of->conv, in, &filter, &of->out, out);
}

void nn_backend_run(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work) {
    if (!takes(layer)) {
        nn_plain_run(model, layer, arena);
        return;
    }
    const shapes of = shapes_of(model, layer);
    const room parts = room_of(layer, &of);
    int8_t *const bytes = work;
    int32_t *const shifts = work;
    for (int32_t i = 0; i < of.out.c; i++) {
        shifts[i] = layer->exponent[i];
    }
    /* CMSIS-NN reads the multipliers and says so in no const. */
    const cmsis_nn_per_channel_quant_params scaling = {(int32_t *)(uintptr_t)layer->multiplier,
                                                       shifts};
    const cmsis_nn_context context = {bytes + parts.context, (int32_t)(parts.end - parts.context)};
    const int8_t *weights = weights_for(layer, &of, bytes + parts.weights);
    const int8_t *in = arena + nn_input_of(model, layer)->offset;
    int8_t *out = arena + nn_output_of(model, layer)->offset;
    const bool pooled = layer->pool > 1u;

    const arm_cmsis_nn_status status = run(model, layer, &of, &scaling, &context, weights, in,
                                           pooled ? bytes + parts.pooled : out);
    NN_ASSERT(status == ARM_CMSIS_NN_SUCCESS); /* what it refuses, takes() has not let through */
    if (pooled) {
        pool(&of, bytes + parts.pooled, out);
    }
}

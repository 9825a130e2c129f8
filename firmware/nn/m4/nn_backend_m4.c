#include "nn_backend.h"
#include "nn_m4.h"
#include "plain/nn_plain.h"

typedef enum { PLAIN, CONV2D, WINOGRAD, DENSE, DEPTHWISE } choice;

static choice choice_of(const nn_model *model, const nn_layer *layer) {
    if (nn_m4_takes_dense(model, layer)) {
        return DENSE;
    }
    if (nn_m4_takes_winograd(model, layer)) {
        return WINOGRAD;
    }
    if (nn_m4_takes_conv2d(model, layer)) {
        return CONV2D;
    }
    return nn_m4_takes_depthwise(model, layer) ? DEPTHWISE : PLAIN;
}

const char *nn_backend_kernel(const nn_model *model, const nn_layer *layer) {
    switch (choice_of(model, layer)) {
    case CONV2D:
        return "m4 conv2d";
    case WINOGRAD:
        return "m4 winograd";
    case DENSE:
        return "m4 dense";
    case DEPTHWISE:
        return "m4 depthwise";
    case PLAIN:
        break;
    }
    return nn_plain_kernel(layer);
}

uint32_t nn_backend_work_bytes(const nn_model *model, const nn_layer *layer) {
    switch (choice_of(model, layer)) {
    case CONV2D:
        return nn_m4_conv2d_bytes(model, layer);
    case WINOGRAD:
        return nn_m4_winograd_bytes(model, layer);
    case DENSE:
        return nn_m4_dense_bytes(model, layer);
    case DEPTHWISE:
        return nn_m4_depthwise_bytes(model, layer);
    case PLAIN:
        break;
    }
    return 0u;
}

void nn_backend_run(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work) {
    const int8_t *in = arena + nn_input_of(model, layer)->offset;
    int8_t *out = arena + nn_output_of(model, layer)->offset;
    switch (choice_of(model, layer)) {
    case CONV2D:
        nn_m4_conv2d(model, layer, in, out, work);
        break;
    case WINOGRAD:
        nn_m4_winograd(model, layer, in, out, work);
        break;
    case DENSE:
        nn_m4_dense(model, layer, in, out, work);
        break;
    case DEPTHWISE:
        nn_m4_depthwise(model, layer, in, out, work);
        break;
    case PLAIN:
        nn_plain_run(model, layer, arena);
        break;
    }
}

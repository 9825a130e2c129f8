#include "plain/nn_plain.h"

static void look_up(const nn_layer *layer, const int8_t *in, int8_t *out, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        out[i] = layer->weights[in[i] + 128];
    }
}

void nn_plain_run(const nn_model *model, const nn_layer *layer, int8_t *arena) {
    const int8_t *in = arena + nn_input_of(model, layer)->offset;
    const int8_t *second = arena + model->tensors[layer->second].offset;
    int8_t *out = arena + nn_output_of(model, layer)->offset;

    switch ((nn_kind)layer->kind) {
    case NN_CONV2D:
        nn_plain_conv2d(model, layer, in, out);
        break;
    case NN_DEPTHWISE:
        nn_plain_depthwise(model, layer, in, out);
        break;
    case NN_MAX_POOL:
    case NN_AVERAGE_POOL:
        nn_plain_pool(model, layer, in, out);
        break;
    case NN_ADD:
        nn_plain_add(model, layer, in, second, out);
        break;
    case NN_LOOKUP:
        look_up(layer, in, out, nn_size_of(nn_output_of(model, layer)));
        break;
    case NN_PRELU:
        nn_plain_prelu(model, layer, in, out);
        break;
    case NN_MEAN:
        nn_plain_mean(model, layer, in, out);
        break;
    case NN_CONCATENATE:
        nn_plain_concatenate(model, layer, in, second, out);
        break;
    case NN_MULTIPLY:
        nn_plain_multiply(model, layer, in, second, out);
        break;
    case NN_SELECT:
        nn_plain_select(model, layer, in, out);
        break;
    }
}

const char *nn_plain_kernel(const nn_layer *layer) {
    switch ((nn_kind)layer->kind) {
    case NN_CONV2D:
        return "plain conv2d";
    case NN_DEPTHWISE:
        return "plain depthwise";
    case NN_MAX_POOL:
        return "plain max pool";
    case NN_AVERAGE_POOL:
        return "plain average pool";
    case NN_ADD:
        return "plain add";
    case NN_LOOKUP:
        return "plain look-up";
    case NN_PRELU:
        return "plain prelu";
    case NN_MEAN:
        return "plain mean";
    case NN_CONCATENATE:
        return "plain concatenate";
    case NN_MULTIPLY:
        return "plain multiply";
    case NN_SELECT:
        return "plain select";
    }
    return "unknown";
}

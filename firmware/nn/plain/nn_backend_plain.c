#include "nn_backend.h"
#include "plain/nn_plain.h"

const char *nn_backend_kernel(const nn_model *model, const nn_layer *layer) {
    (void)model;
    return nn_plain_kernel(layer);
}

uint32_t nn_backend_work_bytes(const nn_model *model, const nn_layer *layer) {
    (void)model;
    (void)layer;
    return 0u;
}

void nn_backend_run(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work) {
    (void)work;
    nn_plain_run(model, layer, arena);
}

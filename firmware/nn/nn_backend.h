/*
 * nn_backend: the seam between nn_run and the kernels. One of three is linked, chosen by NN_BACKEND
 * when the firmware is built:
 *
 *   plain  readable C11 for any layer: the definition in C
 *   m4     the Cortex-M4's DSP instructions for convolutions and fully connected layers
 *   cmsis  Arm's CMSIS-NN, which the user has built (CMSIS_NN_INC, CMSIS_NN_LIB)
 *
 * Every one gives the same bytes. A layer that m4 or cmsis cannot run is run by plain, and
 * nn_backend_kernel says so.
 */
#ifndef NN_BACKEND_H
#define NN_BACKEND_H

#include <stdint.h>

#include "nn_model.h"

/* The kernel that runs this layer: "m4 conv2d", "plain conv2d". */
const char *nn_backend_kernel(const nn_model *model, const nn_layer *layer);

/* Bytes of room that the kernel works in, behind the tensors that are needed while it runs. */
uint32_t nn_backend_work_bytes(const nn_model *model, const nn_layer *layer);

/* Run one layer over the tensors of the arena. arena and work start at multiples of four. */
void nn_backend_run(const nn_model *model, const nn_layer *layer, int8_t *arena, void *work);

#endif

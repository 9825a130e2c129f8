/*
 * Stage 2: a frame becomes the network's input, [MODEL_INPUT_HEIGHT, _WIDTH, _CHANNELS] uint8.
 *
 * The middle of the frame is cut into as many squares as the input has pixels, as large as they can
 * be; each becomes its mean, rounded half up. One channel is luma; three are red, green and blue,
 * of the mean luma and chroma (ITU-R BT.601, full range, in 8-bit fractions).
 * boardless_models.data.preprocess makes the same bytes.
 */
#ifndef APP_PREPROCESS_H
#define APP_PREPROCESS_H

#include <stdint.h>

#include "apps/classifier/frame_capture.h"
#include "generated/model.h"

#define PREPROCESS_BYTES (MODEL_INPUT_HEIGHT * MODEL_INPUT_WIDTH * MODEL_INPUT_CHANNELS)

/* pixels [112,112] in Y U Y V. Only for a network whose input is a picture. */
void preprocess_run(const uint32_t *pixels, uint8_t *output);

/* The same, or the bytes that came as the network reads them. */
void preprocess_input(const captured_frame *frame, uint8_t *output);

#endif

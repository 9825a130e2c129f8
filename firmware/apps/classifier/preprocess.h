/* Stage 2: a frame becomes the network's input: luma [112,112] -> mean of 4x4 -> [28,28]. */
#ifndef APP_PREPROCESS_H
#define APP_PREPROCESS_H

#include <stdint.h>

#include "apps/classifier/frame_capture.h"

#define PREPROCESS_BLOCK  4u
#define PREPROCESS_WIDTH  (FRAME_WIDTH / PREPROCESS_BLOCK)
#define PREPROCESS_HEIGHT (FRAME_HEIGHT / PREPROCESS_BLOCK)

/* pixels [112,112] in Y U Y V; output [28,28,1], each (sum of 16 + 8) >> 4. */
void preprocess_run(const uint32_t *pixels, uint8_t *output);

#endif

/* The public key that images are signed for. Its source is written when the boot loader is built.
 */
#ifndef BOOT_KEY_H
#define BOOT_KEY_H

#include "boot/boot_image.h"

extern const uint8_t boot_key[BOOT_PUBLIC_KEY_BYTES];

#endif

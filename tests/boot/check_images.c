/* Slots in on stdin, what the boot loader says of each out on stdout; see test_images.py. */
#include <stdio.h>
#include <stdlib.h>

#include "boot/boot_image.h"

int main(void) {
    uint8_t key[BOOT_PUBLIC_KEY_BYTES];
    uint32_t size;
    if (fread(key, sizeof key, 1, stdin) != 1) {
        return 1;
    }
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        uint8_t *slot = malloc(size); /* of its own size: an overrun is found */
        boot_image found = {0};
        if (slot == NULL || fread(slot, 1, size, stdin) != size) {
            return 1;
        }
        int err = boot_image_check(slot, size, key, &found);
        printf("%d %llx %u %d\n", err, (unsigned long long)found.version,
               (unsigned)found.security_counter, found.confirmed);
        free(slot);
    }
    return 0;
}

#include <stdint.h>

extern void reset(void);
__attribute__((section(".isr_vector"), used))
const uint32_t vectors[4] = {0x20020000, (uint32_t)reset};
__attribute__((section(".model"), used)) const int8_t weights[100] = {1, 2, 3};
__attribute__((section(".model"), used)) const int32_t biases[5] = {-1};

char data_block[5] = "data";
uint32_t zeroed[10];
__attribute__((section(".ccm"))) uint8_t ccm_buffer[300];
static int twice(int value) {
    return value + value;
}

__attribute__((noinline)) int kernel_conv(int value) {
    return twice(value) + weights[value & 63];
}
int kernel_conv_alias(int value) __attribute__((alias("kernel_conv")));
__attribute__((noinline)) int kernel_dense(int value) {
    return value + biases[value & 3];
}
__attribute__((section(".ramcode"), noinline)) int in_ram(int value) {
    return value * 3;
}

void reset(void) {
    int (*volatile call)(int) = in_ram;
    for (;;)
        zeroed[0] +=
            (uint32_t)(kernel_conv(data_block[0]) + kernel_dense(1) + call(2) + ccm_buffer[0]);
}
__asm__(".global bare_label\n.type bare_label, %function\n.text\nbare_label: nop\n");

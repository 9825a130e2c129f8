#include <stdio.h>
#include <stdlib.h>

__attribute__((section(".vectors"), used)) const unsigned vectors[16] = {0x20010000};
static int table[10] = {1, 2, 3};
int zeroed[100];

int main(void) {
    printf("%d %f\n", rand(), 1.5);
    return table[rand() % 10] + zeroed[2];
}

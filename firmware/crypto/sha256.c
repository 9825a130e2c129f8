#include "crypto/sha256.h"

#define ROUNDS      64u
#define WORDS       8u
#define BLOCK_WORDS 16u
#define WORD_BYTES  4u
/* The bits' count takes the last eight bytes of the last block. */
#define LENGTH_AT   56u
#define END_OF_DATA 0x80u

/* FIPS 180-4, 4.2.2 and 5.3.3. */
static const uint32_t round_constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};
static const uint32_t first_hash[WORDS] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static uint32_t rotated(uint32_t value, uint32_t bits) {
    return (value >> bits) | (value << (32u - bits));
}

static uint32_t load_big(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store_big(uint8_t *bytes, uint32_t value) {
    for (uint32_t i = 0; i < WORD_BYTES; i++) {
        bytes[i] = (uint8_t)(value >> (24u - 8u * i));
    }
}

/* The schedule is kept as the last 16 words only: 192 bytes less of stack. */
static uint32_t next_word(uint32_t *words, uint32_t round) {
    uint32_t w15 = words[(round + 1u) % BLOCK_WORDS];
    uint32_t w2 = words[(round + 14u) % BLOCK_WORDS];
    uint32_t s0 = rotated(w15, 7) ^ rotated(w15, 18) ^ (w15 >> 3);
    uint32_t s1 = rotated(w2, 17) ^ rotated(w2, 19) ^ (w2 >> 10);
    words[round % BLOCK_WORDS] += s0 + words[(round + 9u) % BLOCK_WORDS] + s1;
    return words[round % BLOCK_WORDS];
}

static void take_block(sha256_state *state) {
    uint32_t words[BLOCK_WORDS];
    uint32_t h[WORDS];
    for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
        words[i] = load_big(&state->block[i * WORD_BYTES]);
    }
    for (uint32_t i = 0; i < WORDS; i++) {
        h[i] = state->hash[i];
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t word = round < BLOCK_WORDS ? words[round] : next_word(words, round);
        uint32_t s1 = rotated(h[4], 6) ^ rotated(h[4], 11) ^ rotated(h[4], 25);
        uint32_t choice = (h[4] & h[5]) ^ (~h[4] & h[6]);
        uint32_t first = h[7] + s1 + choice + round_constants[round] + word;
        uint32_t s0 = rotated(h[0], 2) ^ rotated(h[0], 13) ^ rotated(h[0], 22);
        uint32_t second = s0 + ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]));
        for (uint32_t i = WORDS - 1u; i > 0; i--) {
            h[i] = h[i - 1u];
        }
        h[4] += first;
        h[0] = first + second;
    }
    for (uint32_t i = 0; i < WORDS; i++) {
        state->hash[i] += h[i];
    }
}

void sha256_start(sha256_state *state) {
    for (uint32_t i = 0; i < WORDS; i++) {
        state->hash[i] = first_hash[i];
    }
    state->size_bytes = 0;
}

void sha256_add(sha256_state *state, const void *data, uint32_t size_bytes) {
    const uint8_t *bytes = data;
    for (uint32_t i = 0; i < size_bytes; i++) {
        state->block[state->size_bytes++ % SHA256_BLOCK_BYTES] = bytes[i];
        if (state->size_bytes % SHA256_BLOCK_BYTES == 0) {
            take_block(state);
        }
    }
}

void sha256_end(sha256_state *state, uint8_t digest[SHA256_DIGEST_BYTES]) {
    uint32_t size_bytes = state->size_bytes;
    uint8_t padding = END_OF_DATA;
    do {
        sha256_add(state, &padding, 1);
        padding = 0;
    } while (state->size_bytes % SHA256_BLOCK_BYTES != LENGTH_AT);
    store_big(&state->block[LENGTH_AT], size_bytes >> 29);
    store_big(&state->block[LENGTH_AT + WORD_BYTES], size_bytes << 3);
    take_block(state);
    for (uint32_t i = 0; i < WORDS; i++) {
        store_big(&digest[i * WORD_BYTES], state->hash[i]);
    }
}

#include "crypto/sha512.h"

#define ROUNDS      80u
#define WORDS       8u
#define BLOCK_WORDS 16u
#define WORD_BYTES  8u
/* The bits' count takes the last 16 bytes of the last block; of it 61 bits can be other than 0. */
#define LENGTH_AT   112u
#define END_OF_DATA 0x80u

/* FIPS 180-4, 4.2.3 and 5.3.5. */
static const uint64_t round_constants[ROUNDS] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};
static const uint64_t first_hash[WORDS] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

static uint64_t rotated(uint64_t value, uint32_t bits) {
    return (value >> bits) | (value << (64u - bits));
}

static uint64_t load_big(const uint8_t *bytes) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < WORD_BYTES; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static void store_big(uint8_t *bytes, uint64_t value) {
    for (uint32_t i = 0; i < WORD_BYTES; i++) {
        bytes[i] = (uint8_t)(value >> (56u - 8u * i));
    }
}

static uint64_t next_word(uint64_t *words, uint32_t round) {
    uint64_t w15 = words[(round + 1u) % BLOCK_WORDS];
    uint64_t w2 = words[(round + 14u) % BLOCK_WORDS];
    uint64_t s0 = rotated(w15, 1) ^ rotated(w15, 8) ^ (w15 >> 7);
    uint64_t s1 = rotated(w2, 19) ^ rotated(w2, 61) ^ (w2 >> 6);
    words[round % BLOCK_WORDS] += s0 + words[(round + 9u) % BLOCK_WORDS] + s1;
    return words[round % BLOCK_WORDS];
}

static void take_block(sha512_state *state) {
    uint64_t words[BLOCK_WORDS];
    uint64_t h[WORDS];
    for (uint32_t i = 0; i < BLOCK_WORDS; i++) {
        words[i] = load_big(&state->block[i * WORD_BYTES]);
    }
    for (uint32_t i = 0; i < WORDS; i++) {
        h[i] = state->hash[i];
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t word = round < BLOCK_WORDS ? words[round] : next_word(words, round);
        uint64_t s1 = rotated(h[4], 14) ^ rotated(h[4], 18) ^ rotated(h[4], 41);
        uint64_t choice = (h[4] & h[5]) ^ (~h[4] & h[6]);
        uint64_t first = h[7] + s1 + choice + round_constants[round] + word;
        uint64_t s0 = rotated(h[0], 28) ^ rotated(h[0], 34) ^ rotated(h[0], 39);
        uint64_t second = s0 + ((h[0] & h[1]) ^ (h[0] & h[2]) ^ (h[1] & h[2]));
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

void sha512_start(sha512_state *state) {
    for (uint32_t i = 0; i < WORDS; i++) {
        state->hash[i] = first_hash[i];
    }
    state->size_bytes = 0;
}

void sha512_add(sha512_state *state, const void *data, uint32_t size_bytes) {
    const uint8_t *bytes = data;
    for (uint32_t i = 0; i < size_bytes; i++) {
        state->block[state->size_bytes++ % SHA512_BLOCK_BYTES] = bytes[i];
        if (state->size_bytes % SHA512_BLOCK_BYTES == 0) {
            take_block(state);
        }
    }
}

void sha512_end(sha512_state *state, uint8_t digest[SHA512_DIGEST_BYTES]) {
    uint64_t size_bits = (uint64_t)state->size_bytes << 3;
    uint8_t padding = END_OF_DATA;
    do {
        sha512_add(state, &padding, 1);
        padding = 0;
    } while (state->size_bytes % SHA512_BLOCK_BYTES != LENGTH_AT);
    store_big(&state->block[LENGTH_AT], 0);
    store_big(&state->block[LENGTH_AT + WORD_BYTES], size_bits);
    take_block(state);
    for (uint32_t i = 0; i < WORDS; i++) {
        store_big(&digest[i * WORD_BYTES], state->hash[i]);
    }
}

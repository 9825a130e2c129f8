/*
 * nn_assert: what a caller must have seen to. A debug build (DEBUG=1, NN_DEBUG) stops where it does
 * not hold, with an undefined instruction: a HardFault whose address names the place.
 */
#ifndef NN_ASSERT_H
#define NN_ASSERT_H

#include <stdint.h>

#if !defined(NN_DEBUG)
#define NN_DEBUG 0
#endif

#if NN_DEBUG
#define NN_ASSERT(holds)                                                                           \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            __builtin_trap();                                                                      \
        }                                                                                          \
    } while (0)
#else
#define NN_ASSERT(holds) ((void)sizeof(holds))
#endif

/* Whether words can be loaded from there: several at once need a multiple of four. */
#define NN_IS_ALIGNED(pointer) ((uintptr_t)(pointer) % sizeof(uint32_t) == 0u)

#endif

/* Three tasks as FreeRTOS keeps them (lists, control blocks, stacks as its Cortex-M4F port leaves them),
 * without its scheduler: what a debugger reads, and nothing else. */
#include <stdint.h>

typedef struct item {
    uint32_t value;
    struct item *next, *previous;
    void *owner, *container;
} item;

typedef struct {
    uint32_t count;
    item *index;
    struct {
        uint32_t value;
        item *next, *previous;
    } end;
} list;

typedef struct {
    uint32_t *top;
    item state, event;
    uint32_t priority;
    uint32_t *stack;
    char name[16];
} task;

enum { FRAME_WORDS = 17, EXC_RETURN_PROCESS = 0xfffffffd, THUMB_STATE = 1 << 24 };

list pxReadyTasksLists[3], xSuspendedTaskList;
task first = {.name = "blink"}, second = {.name = "camera"}, third = {.name = "idle"};
task *volatile pxCurrentTCB;
static uint32_t stacks[2][64];

__attribute__((noinline)) void wait_for_frame(void) {
    for (;;) {
        __asm volatile("wfi");
    }
}

static void append(list *to, task *who) {
    item *end = (item *)&to->end;
    item *last = to->count ? end->previous : end;
    who->state = (item){.next = end, .previous = last, .owner = who, .container = to};
    last->next = &who->state;
    end->previous = &who->state;
    to->count++;
}

static void park(task *who, uint32_t *stack, uint32_t pc) {
    uint32_t *frame = &stack[64 - FRAME_WORDS];
    for (uint32_t i = 0; i < 8; i++) {
        frame[i] = 0x40 + i; /* r4 to r11 */
    }
    frame[8] = EXC_RETURN_PROCESS;
    frame[9] = 0x7e57; /* r0 */
    frame[15] = pc;
    frame[16] = THUMB_STATE;
    who->top = frame;
}

int main(void) {
    append(&pxReadyTasksLists[2], &first);
    append(&pxReadyTasksLists[0], &third);
    append(&xSuspendedTaskList, &second);
    park(&second, stacks[0], (uint32_t)(uintptr_t)wait_for_frame & ~1u);
    park(&third, stacks[1], (uint32_t)(uintptr_t)main & ~1u);
    pxCurrentTCB = &first;
    wait_for_frame();
    return 0;
}

extern uint32_t data_load, data_start, data_end;

void reset(void) {
    for (uint32_t *to = &data_start, *from = &data_load; to < &data_end;) {
        *to++ = *from++;
    }
    main();
}

__attribute__((section(".vectors"), used)) void *const vectors[16] = {(void *)0x20002000, (void *)reset};

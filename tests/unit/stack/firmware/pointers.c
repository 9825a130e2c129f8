/* Calls through pointers, each with a target that the analysis may find by itself. */
#include <stdint.h>

struct a {
    int x;
};
struct b {
    int y;
};
struct ops {
    void (*open)(struct a *);
    void (*read)(struct a *);
    void (*write)(struct a *);
};

#define TAKES(bytes)                                                                               \
    volatile char local[bytes];                                                                    \
    local[0] = (char)bytes
__attribute__((noinline)) void opens(struct a *one) {
    TAKES(16);
    one->x = local[0];
}
__attribute__((noinline)) void reads(struct a *one) {
    TAKES(32);
    one->x = local[0];
}
__attribute__((noinline)) void writes(struct a *one) {
    TAKES(64);
    one->x = local[0];
}
__attribute__((noinline)) void other_struct(struct b *one) {
    TAKES(200);
    one->y = local[0];
}
__attribute__((noinline)) int returns(struct a *one) {
    TAKES(300);
    return one->x + local[0];
}
__attribute__((noinline)) void nothing(void) {
    TAKES(400);
}
__attribute__((noinline)) void cast_one(struct b *one) {
    TAKES(48);
    one->y = local[0];
}
void *volatile kept[] = {other_struct, returns, nothing};

static struct ops device;
static struct ops const constant = {opens, reads, writes};
struct ops const *volatile chosen = &constant;
static void (*hook)(struct a *);
static void (*volatile never)(int, int, int, int);
typedef void (*cast_t)(uint64_t);
static cast_t volatile cast = (cast_t)cast_one;

__attribute__((noinline)) void installs(struct ops *into, void (*read)(struct a *)) {
    into->open = opens;
    into->read = read;
    into->write = writes;
}
__attribute__((noinline)) void calls_member(struct ops *through, struct a *one) {
    through->read(one);
    one->x++;
}
__attribute__((noinline)) void calls_nested(struct a *one) {
    chosen->write(one);
    one->x++;
}
__attribute__((noinline)) void calls_variable(struct a *one) {
    if (hook)
        hook(one);
    one->x++;
}
__attribute__((noinline)) void sets_hook(void) {
    hook = opens;
}
__attribute__((noinline)) void calls_cast(void) {
    cast(1);
    kept[0] = 0;
}

struct a only;
int main(void) {
    installs(&device, reads);
    calls_member(&device, &only);
    calls_nested(&only);
    calls_variable(&only);
    sets_hook();
    calls_cast();
    return 0;
}

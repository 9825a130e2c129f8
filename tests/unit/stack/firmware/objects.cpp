// C++ without its library: virtual calls, member pointers, templates, static construction.
#define APART __attribute__((noinline))

volatile int sink;

struct Shape {
    virtual int area(int scale) const = 0;
    virtual void draw() { sink = area(1); }
};

struct Square : Shape {
    int side;
    explicit Square(int given) : side(given) {}
    APART int area(int scale) const override { volatile int held[6]; held[0] = side * side * scale; return held[0]; }
};

struct Ring : Shape {
    int outer, inner;
    Ring(int o, int i) : outer(o), inner(i) {}
    APART int area(int scale) const override { volatile int held[25]; held[2] = outer - inner; return held[2] * scale; }
    APART void draw() override { volatile char held[80]; held[3] = 1; sink = held[3] + area(2); }
};

template <typename Item, int count> struct Queue {
    Item items[count];
    int used = 0;
    APART void push(const Item &item) { Item copy = item; items[used++ % count] = copy; }
};

struct Counter {
    int value;
    APART Counter() : value(3) { volatile int held[9]; held[1] = 2; sink = held[1]; }
    APART int add(int more) { volatile int held[3]; held[0] = more; value += held[0]; return value; }
    APART int drop(int less) { value -= less; return value; }
};

struct Wide { int words[12]; };
static Counter counter;

APART int draw_all(Shape **shapes, int count)
{
    int total = 0;
    for (int i = 0; i < count; i++) { shapes[i]->draw(); total += shapes[i]->area(i); }
    return total;
}
APART int calls_member(int (Counter::*way)(int), int number) { return (counter.*way)(number); }
template <typename Call> APART int twice(Call call) { return call(1) + call(2); }

extern "C" void __cxa_pure_virtual() { for (;;) {} }
extern "C" int __aeabi_atexit(void *, void (*)(void *), void *) { return 0; }
extern "C" void *__dso_handle;
void *__dso_handle;
void operator delete(void *, unsigned) noexcept {}

int main()
{
    Square square(4);
    Ring ring(9, 2);
    Shape *shapes[] = { &square, &ring };
    sink = draw_all(shapes, 2);
    Queue<Wide, 3> queue;
    queue.push(Wide{});
    int base = sink;
    sink = twice([base](int x) { return counter.add(x) + base; });
    sink = calls_member(&Counter::add, 4) + calls_member(sink ? &Counter::drop : &Counter::add, 1);
    return 0;
}

// C++ that needs no C++ library, which a machine with only the compiler has not got: virtual
// functions, a template, an object built before main, mangled names.
#include <stdlib.h>

struct Shape {
    virtual int area() const = 0;
    virtual ~Shape() = default;
};
struct Box : Shape {
    int side = 3;
    int area() const override { return side * side; }
};

template <typename T> class List {
  public:
    void add(const T &value) {
        items = static_cast<T *>(realloc(items, (count + 1) * sizeof(T)));
        items[count++] = value;
    }
    const T &front() const { return items[0]; }

  private:
    T *items = nullptr;
    size_t count = 0;
};

extern "C" void __cxa_pure_virtual() { abort(); }
void operator delete(void *memory) noexcept { free(memory); }
void operator delete(void *memory, size_t) noexcept { free(memory); }

int first() { return 3; }
int started = first();
List<int> sizes;

int main() {
    Box box;
    const Shape &shape = box;
    sizes.add(shape.area() + started);
    return sizes.front();
}

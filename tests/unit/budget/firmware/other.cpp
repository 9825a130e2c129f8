#include <cstdio>
#include <vector>

struct Shape {
    virtual int area() const = 0;
    virtual ~Shape() = default;
};
struct Box : Shape {
    int side = 3;
    int area() const override { return side * side; }
};

void *__dso_handle;
std::vector<int> sizes;

int main() {
    Box box;
    const Shape &shape = box;
    sizes.push_back(shape.area());
    return sizes.front();
}

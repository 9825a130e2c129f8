#include "drivers/cpu.h"
#include "tests/selftest/selftest.h"
#include "tests/selftest/vectors.h"
#include "tests/support/report.h"

int main(void) {
    report_start();
    report_message("boardless selftest");
    vectors_relocate();
    test_dsp();
    test_memory();
    test_exceptions();
    test_priorities();
    test_time();
    test_fpu();
    test_faults();
    test_threads();
    test_operands();
    test_returns();
    test_protection();
    test_fatal_faults();
    report_done();
    cpu_stop();
}

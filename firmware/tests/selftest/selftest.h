/* Self-test of the Cortex-M4F that runs it: each function checks one topic (see report.h). */
#ifndef TESTS_SELFTEST_SELFTEST_H
#define TESTS_SELFTEST_SELFTEST_H

void test_dsp(void);
void test_memory(void);
void test_exceptions(void);
void test_priorities(void);
void test_time(void);
void test_fpu(void);
void test_faults(void);
void test_threads(void);
void test_operands(void);
void test_returns(void);
void test_protection(void);
void test_fatal_faults(void);

#endif

*** Settings ***
Documentation    The virtual board itself: programs on it check the core and its devices.

Resource         ../resources/board.resource

Test Teardown    Power Off Board
Test Template    Program Should Pass

Test Tags        board    smoke    native


*** Test Cases ***              PROGRAM
Core Passes Its Self-Test       selftest
Devices Pass Their Test         periph_test


*** Keywords ***
Program Should Pass
    [Documentation]    A test program counts its checks and ends with one line.
    [Arguments]    ${program}
    Power On Board    ${FIRMWARE FOLDER}/${program}.elf
    Engine Should Offer    all devices of the board
    ${line} =    Run Until Uart Line    ^t- done    limit=30 s
    Should Match Regexp    ${line}    ^t- done pass=[1-9]\\d* fail=0$

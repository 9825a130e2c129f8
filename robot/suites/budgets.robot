*** Settings ***
Documentation     Sizes from the ELF, and the stack of a run, keep the budgets of boardless.toml.

Resource          ../resources/board.resource

Suite Setup       Run Three Frames
Suite Teardown    Power Off Board

Test Tags         size    native


*** Variables ***
${BUDGETS}    ${CURDIR}/../../boardless.toml


*** Test Cases ***
Every Budget Is Kept
    [Documentation]    Flash, model, static RAM and the stack that the run measured.
    [Tags]    smoke
    Budget Should Pass    ${FIRMWARE}    ${BUDGETS}

Stack Stays Small
    [Documentation]    The main stack's high-water mark, by the stack pointer itself.
    Stack Should Be At Most    2 KiB

Exceeded Stack Budget Is Named
    [Documentation]    A budget that is too small fails with both figures.
    Run Keyword And Expect Error
    ...    GLOB: stack reached * bytes in *, expected at most 16
    ...    Stack Should Be At Most    16 B


*** Keywords ***
Run Three Frames
    [Documentation]    A run that goes through every stage, for its stack.
    Power On Firmware
    Engine Should Offer    stack high-water mark
    Classify Frames    pattern:bars    limit=3

*** Settings ***
Documentation     The firmware keeps up with the camera. All times are virtual.

Resource          ../resources/board.resource

Suite Setup       Classify Thirty Frames
Suite Teardown    Power Off Board

Test Tags         e2e    timing    sensor


*** Test Cases ***
Every Stage Keeps Its Limit
    [Documentation]    The slowest frames too.
    P95 Time Should Be At Most    preprocess    500 us
    P95 Time Should Be At Most    infer    10 ms

Result Comes Soon After The Frame
    [Documentation]    From the end of the capture to the end of the inference.
    [Tags]    smoke
    Mean Time Should Be At Most    total    10 ms
    P95 Time Should Be At Most    total    10 ms

No Frame Of The Camera Is Missed
    [Documentation]    The camera gives 30 frames a second.
    Frame Rate Should Be At Least    29.9

Virtual Time Is The Board's
    [Documentation]    Thirty frames take a second of the board, however fast the host runs them.
    Virtual Time Should Be At Least    1.0 s
    Virtual Time Should Be At Most    1.1 s


*** Keywords ***
Classify Thirty Frames
    [Documentation]    Thirty frames in a row, for all tests of the suite to look at.
    Power On Firmware
    Engine Should Offer    camera    precise time
    Classify Frames    ${FASHION}    ${FASHION LABELS}    limit=30

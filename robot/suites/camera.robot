*** Settings ***
Documentation    The firmware sets its camera up, counts frames, never infers without one.

Resource         ../resources/board.resource

Test Setup       Power On Firmware
Test Teardown    Power Off Board

Test Tags        e2e    camera


*** Test Cases ***
Camera Identifies Itself
    [Documentation]    The product number and version that the sensor's registers hold.
    [Tags]    smoke    sensor
    Engine Should Offer    camera
    Run Until Uart Line    ^m- camera ov7670 pid=76 ver=73$    limit=500 ms
    Uart Should Not Contain    e-

Pattern Is Captured Whole
    [Documentation]    A test pattern goes through every stage without an error.
    Show Frame    pattern:bars
    Run Until Result    limit=500 ms
    Uart Should Not Contain    e-
    Board Should Not Have Faulted

Frame Counter Counts Up By One
    [Documentation]    Two frames shown together come out as numbers 0 and 1.
    Show Frame    ${FASHION}    0
    Show Frame    ${FASHION}    1
    ${first} =    Run Until Result    limit=500 ms
    ${second} =    Run Until Result    limit=100 ms
    Should Be Equal As Integers    ${first}[frame]    0
    Should Be Equal As Integers    ${second}[frame]    1

Next Frame Replaces The One In View
    [Documentation]    The last frame stays in view and is captured again until there is a new one.
    Show Frame    ${FASHION}    0
    Run Until Result    limit=500 ms
    Run For    200 ms
    Show Frame    ${FASHION}    1
    Run Until Result    limit=500 ms
    Result Class Should Be    ${PULLOVER}

Sensor That Stops Gives An Error And No Result
    [Documentation]    What was not captured is never inferred.
    [Tags]    sensor
    Engine Should Offer    camera
    Run Until Uart Line    ^m- camera    limit=500 ms
    Stop Camera Clock
    Run Until Uart Line    ^e- capture timeout code=-1$    limit=1 s
    Uart Should Not Contain    r-

Short Frame Gives An Error And No Result
    [Documentation]    The sensor ends its frame after half of the lines.
    [Tags]    sensor
    Engine Should Offer    camera
    Cut Camera Frame    60
    Run Until Uart Line    ^e- capture short code=-4$    limit=500 ms
    Uart Should Not Contain    r-

Repaired Camera Is Used Again
    [Documentation]    A failed capture is tried again, so that one bad frame does no lasting harm.
    [Tags]    sensor
    Engine Should Offer    camera
    Cut Camera Frame    60
    Run Until Uart Line    ^e- capture short    limit=500 ms
    Repair Camera
    Show Frame    ${FASHION}    0
    Run Until Result    limit=500 ms
    Result Class Should Be    ${ANKLE BOOT}

Another Sensor Is Refused
    [Documentation]    Something answers on the control bus, but it is no OV7670.
    [Tags]    sensor
    Engine Should Offer    camera
    Fit Wrong Camera    0x77
    Run Until Uart Line    ^e- camera probe code=-16$    limit=500 ms
    Run For    200 ms
    Uart Should Not Contain    r-

Sensor Without Control Bus Is Refused
    [Documentation]    Nothing answers on the control bus.
    [Tags]    sensor
    Engine Should Offer    camera
    Disconnect Camera Control
    Run Until Uart Line    ^e- camera probe code=-1$    limit=500 ms
    Run For    200 ms
    Uart Should Not Contain    r-

*** Settings ***
Documentation    What goes wrong is told, and the firmware goes on.

Resource         ../resources/board.resource

Test Setup       Power On Firmware
Test Teardown    Power Off Board

Test Tags        e2e    sensor    native


*** Test Cases ***
Lost Line Gives An Error And The Next Frame Its Class
    [Documentation]    The window of the DCMI is full all the same: only its end comes late.
    Show Frame    ${FASHION}    0
    Break Camera    dropped line    row=60    first_frame=2    frames=1
    Run Until Uart Line    ^e- capture timing code=-6$    limit=500 ms
    Run Until Result    limit=200 ms
    Result Class Should Be    ${ANKLE BOOT}

Sensor That Lost Its Supply Is Set Up Again
    [Documentation]    Its registers are as after power-on; pictures would be of another scale.
    Show Frame    ${FASHION}    0
    Break Camera    sensor brown out    rows=60    first_frame=2    frames=1
    Run Until Uart Line    ^e- camera lost code=-17$    limit=500 ms
    Run Until Result    limit=200 ms
    Result Class Should Be    ${ANKLE BOOT}

Late Dma Loses A Frame
    [Documentation]    The bus is taken for two milliseconds in the middle of a frame.
    Break Board    dma stall    for_us=2000    at=150 ms
    Run Until Uart Line    ^e- capture overrun code=-2$    limit=300 ms
    Run Until Result    limit=200 ms

Blurred Frames Lose Some Accuracy
    [Documentation]    Out of focus by a quarter of the worst.
    Disturb Optics    blur    0.25
    Classify Frames    ${FASHION}    ${FASHION LABELS}    limit=20
    Accuracy Should Be At Least    0.30

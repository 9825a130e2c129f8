*** Settings ***
Documentation     How often the firmware is right, over a hundred frames in a row on one board.

Resource          ../resources/board.resource

Suite Setup       Classify A Hundred Frames
Suite Teardown    Power Off Board

Test Tags         e2e    cnn


*** Test Cases ***
Most Classes Are Right
    [Documentation]    Labels and frames go together, and the model is the trained one.
    [Tags]    smoke
    Accuracy Should Be At Least    0.85

Nothing Went Wrong On The Way
    [Documentation]    No error line, no fault.
    Uart Should Not Contain    e-
    Board Should Not Have Faulted


*** Keywords ***
Classify A Hundred Frames
    [Documentation]    The first hundred test images.
    Power On Firmware
    Classify Frames    ${FASHION}    ${FASHION LABELS}    limit=100

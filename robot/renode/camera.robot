*** Settings ***
Documentation     The board and the reference firmware in plain Renode, without Boardless.

Resource          ${RENODEKEYWORDS}

Suite Setup       Setup
Suite Teardown    Teardown
Test Setup        Open Board
Test Teardown     Test Teardown


*** Variables ***
${SETUP}       ${CURDIR}/../../sim/renode/setup.resc
${FIRMWARE}    ${CURDIR}/../../build/firmware/boardless.elf


*** Test Cases ***
Camera Identifies Itself
    [Documentation]    The firmware reads the sensor's identity over I2C.
    Wait For Line On Uart    m- camera ov7670 pid=76 ver=73

Frames Get Results At The Camera's Pace
    [Documentation]    30 frames a second, numbered from 0, each captured whole.
    Wait For Line On Uart    r- frame=0 class=
    Wait For Line On Uart    r- frame=1 class=
    ${result} =    Wait For Line On Uart    r- frame=2 .* capture_us=(\\d+)    treatAsRegex=true
    Should Be True    30000 < ${result.Groups[0]} < 34000
    ${captured} =    Execute Command    sysbus.i2c1.camera CapturedFrames
    Should Contain    ${captured}    -1 -1 -1

Sensor That Stops Gives An Error
    [Documentation]    What was not captured is never inferred.
    Wait For Line On Uart    m- camera
    Execute Command    sysbus.i2c1.camera AddFault "dead"
    Wait For Line On Uart    e- capture timeout code=-1


*** Keywords ***
Open Board
    [Documentation]    A fresh board with the firmware, watched at its console.
    Test Setup
    Execute Command    include @${SETUP}
    Execute Command    sysbus LoadELF @${FIRMWARE}
    Create Terminal Tester    sysbus.usart2    timeout=2    defaultPauseEmulation=true

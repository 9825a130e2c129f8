*** Settings ***
Documentation    Broken firmware must fail, with the message that says what is broken.

Resource         ../../resources/board.resource

Test Teardown    Power Off Board

Test Tags        selftest


*** Variables ***
${FRAME 3}    frame t10k-images-idx3-ubyte.gz?3?
${HANG}       GLOB: no result for ${FRAME 3}: limit: 500 ms of virtual time without a result, at *
${FAULT}      GLOB: no result for ${FRAME 3}: fault: HardFault at pc 0x08?????? in *
${WRONG}      GLOB: frame t10k-images-idx3-ubyte.gz?0?: class is *, expected 9 (score *)


*** Test Cases ***
Firmware That Hangs Fails
    [Documentation]    It stops answering after its third frame: the limit ends the wait.
    [Tags]    sensor
    Power On Board    ${FIRMWARE FOLDER}/faulty_hang.elf
    Engine Should Offer    camera
    Three Frames Should Be Classified
    Run Keyword And Expect Error    ${HANG}    Run Until Result    limit=500 ms
    Stop Reason Should Be    limit

Firmware That Faults Fails
    [Documentation]    It reads where no device is after its third frame.
    [Tags]    native
    Power On Board    ${FIRMWARE FOLDER}/faulty_hardfault.elf
    Engine Should Offer    bus faults
    Three Frames Should Be Classified
    Run Keyword And Expect Error    ${FAULT}    Run Until Result    limit=500 ms
    Stop Reason Should Be    fault
    Board Should Have Faulted    HardFault

Firmware That Crops One Byte Off Fails
    [Documentation]    Its window starts one byte late: colour is taken for brightness.
    [Tags]    sensor
    Power On Board    ${FIRMWARE FOLDER}/faulty_crop.elf
    Engine Should Offer    camera
    Show Frame    ${FASHION}    0
    Run Until Result    limit=500 ms
    Run Keyword And Expect Error    ${WRONG}    Result Class Should Be    ${ANKLE BOOT}


*** Keywords ***
Three Frames Should Be Classified
    [Documentation]    Shows four frames. The fault comes after the third: until then all is well.
    Show Frame    ${FASHION}    0
    Show Frame    ${FASHION}    1
    Show Frame    ${FASHION}    2
    Show Frame    ${FASHION}    3
    Next Class Should Be    ${ANKLE BOOT}
    Next Class Should Be    ${PULLOVER}
    Next Class Should Be    ${TROUSER}

Next Class Should Be
    [Documentation]    The class of the oldest frame that has no result.
    [Arguments]    ${class}
    Run Until Result    limit=500 ms
    Result Class Should Be    ${class}

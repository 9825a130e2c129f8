*** Settings ***
Documentation    The command device: what it does within 10 ms, and what it never does.

Library          BoardlessDevice

Test Setup       Power On Device    ${DEVICE}
Test Teardown    Power Off Device

Test Tags        e2e    device    native


*** Variables ***
${DEVICE}      ${CURDIR}/../../build/firmware/command.elf

# Data sheet DS8626, typical at 25 °C, peripherals off: Run and Sleep at 168 MHz, Stop mode with the
# regulator and the Flash in low power. Put your own board's in their place.
${RUN MA}      40
${SLEEP MA}    12
${STOP MA}     0.28


*** Test Cases ***
Each Command Is Seen At A Pin Within Ten Milliseconds
    [Documentation]    From its last byte to the first change of display, servo or LED.
    [Tags]    smoke
    Send Command    led    rgb=16744448    dur=300
    Led Should Be    255    128    0
    Send Command    servo    angle=135    dur=300
    Servo Should Be At    135
    Send Command    anim    id=1    dur=300
    Run Device For    10 ms
    Display Should Show Something
    Latency Should Be At Most    10 ms

From Stop Mode It Is As Quick
    [Documentation]    The byte that wakes it and the restart of its clock come before the command.
    Run Device For    3 s
    Send Command    servo    angle=20    dur=300
    Servo Should Be At    20
    Latency Should Be At Most    10 ms

A Replayed Packet Is Never Acted On
    [Documentation]    To the byte the same, after what it did is over.
    Send Command    led    rgb=255    dur=100
    Run Device For    200 ms
    Send Last Packet Again
    Answer Should Be    repeated
    Led Should Be    0    0    0

Another Key Moves Nothing
    [Documentation]    A packet that is right but for its key.
    Send Command With Another Key    servo    angle=90    dur=500
    Answer Should Be    unsigned
    Device Should Be Safe    power

Five Bad Commands Make It Safe Until A Good One
    [Documentation]    Motor and LED go off, and only a good command ends that.
    Send Command    servo    angle=90    dur=60000
    Forge Commands    5
    Device Should Be Safe    commands
    Send Command    led    rgb=255    dur=300
    Led Should Be    0    0    255

Offline The Scene Goes On And Then It Is Safe
    [Documentation]    Without a link the last scene has its time.
    Send Command    servo    angle=45    dur=7000
    Run Device For    6.5 s
    Servo Should Be At    45
    Run Device For    1 s
    Device Should Be Safe    link

A Device That Waits Draws Little
    [Documentation]    Stop mode between two commands: an estimate from the data sheet.
    Send Command    ping
    Run Device For    4 s
    Average Current Should Be At Most    2    ${RUN MA}    ${SLEEP MA}    ${STOP MA}

On A Bad Line It Still Does What It Is Told
    [Documentation]    Some bits flip, and some messages come twice.
    [Setup]    Power On Device    ${DEVICE}    noise=0.002    duplication=0.2    seed=7
    Send Command    led    rgb=65280    dur=2000
    Led Should Be    0    255    0


*** Keywords ***
Forge Commands
    [Documentation]    Commands of somebody without the key.
    [Arguments]    ${count}
    FOR    ${_}    IN RANGE    ${count}
        Send Command With Another Key    ping
    END

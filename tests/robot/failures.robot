*** Settings ***
Documentation    Tests that fail, each in its way, and one that passes.

Library          FakeBoard.py

Test Setup       Power On Fake
Test Teardown    Power Off Board


*** Test Cases ***
Keyword Of The Library Fails
    [Documentation]    The picture stands in the keyword that fails.
    Run Until Result    limit=50 ms
    Result Class Should Be    7

Keyword Of Another Library Fails
    [Documentation]    The picture stands in the teardown.
    ${result} =    Run Until Result    limit=50 ms
    Should Be Equal As Integers    ${result}[class]    7

Stack Is Too Deep
    [Documentation]    A size with a unit is converted.
    Stack Should Be At Most    1 KiB
    Stack Should Be At Most    512 B

Size Is Misspelt
    [Documentation]    Robot says which argument it is.
    Stack Should Be At Most    8 KB

Test Passes
    [Documentation]    It leaves no evidence.
    Run Until Result    limit=50 ms
    Result Time Should Be At Most    total    30001 us

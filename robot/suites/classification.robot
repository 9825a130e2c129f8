*** Settings ***
Documentation    The firmware recognises what the camera sees: two frames and more of each class.

Resource         ../resources/board.resource

Test Setup       Power On Firmware
Test Teardown    Power Off Board
Test Template    Frame Should Be Classified As

Test Tags        e2e    cnn


*** Test Cases ***                  INDEX    CLASS
Ankle Boot 0                        0        ${ANKLE BOOT}
Ankle Boot 39                       39       ${ANKLE BOOT}
Pullover 1                          1        ${PULLOVER}
Pullover 16                         16       ${PULLOVER}
Trouser 2                           2        ${TROUSER}
Trouser 3                           3        ${TROUSER}
Shirt 7                             7        ${SHIRT}
Shirt 26                            26       ${SHIRT}
Coat 6                              6        ${COAT}
Coat 10                             10       ${COAT}
Sandal 8                            8        ${SANDAL}
Sandal 11                           11       ${SANDAL}
Sneaker 9                           9        ${SNEAKER}
Sneaker 36                          36       ${SNEAKER}
Dress 13                            13       ${DRESS}
Dress 32                            32       ${DRESS}
Bag 18                              18       ${BAG}
Bag 30                              30       ${BAG}
Top 19                              19       ${TOP}
Top 27                              27       ${TOP}
Ankle Boot 28                       28       ${ANKLE BOOT}
Trouser 5                           5        ${TROUSER}
Bag 31                              31       ${BAG}
Sneaker 22                          22       ${SNEAKER}

#ifndef APP_VERSION_H
#define APP_VERSION_H

#define FIRMWARE_VERSION "0.1.0"

#endif

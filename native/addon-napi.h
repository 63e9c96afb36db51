// Node-API as all files of the addon must see it: what is inline in it is one for all of them.
#pragma once

#define NODE_ADDON_API_DISABLE_DEPRECATED
// A thread that is being ended takes no exceptions: without this, throwing one ends the process.
#define NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
#include <napi.h>

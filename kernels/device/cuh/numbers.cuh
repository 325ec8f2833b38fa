// The two values that C's <math.h> names; no header is included, so none can be missing.
#pragma once

#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)

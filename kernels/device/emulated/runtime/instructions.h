// What each PTX instruction does, as inline functions that the emitted C++ calls.
//
// An instruction whose meaning is a C++ operator (add.s32, and.b64, mul.f32, ...) is emitted as
// that operator and is not here.  Registers are plain unsigned integers, float, double or bool; an
// instruction's type decides how their bits are read (as<T>) and written (put).
//
// Source of every rule: NVIDIA, Parallel Thread Execution ISA, version 9, the instruction's
// section.
#pragma once
#include "instructions_approximate.h"
#include "instructions_convert.h"
#include "instructions_float.h"
#include "instructions_half.h"
#include "instructions_integer.h"
#include "instructions_memory.h"
#include "instructions_print.h"
#include "instructions_types.h"
#include "instructions_warp.h"
#include "matrix.h"
#include "runtime.h"

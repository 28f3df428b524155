"""All 4,294,967,296 float32 inputs of an implementation against `precision_reference`, in blocks, in C.

For each block the code that is measured computes its results, and a loop compares them with the polynomial: the largest
error, where it is, the sum, and the results that are no numbers where f is one. Threads work on different patches.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from analysis.activation.errors import Undecided
from analysis.deployed.compiled import built
from analysis.deployed.implementations import Arrays
from analysis.deployed.precision_reference import DEGREE, NEGATIVE, Patch

BLOCK = 1 << 14  # inputs: x and y are 128 KiB
# comparisons need not trap, which keeps compilers from vectorising selections
FLAGS = ["-fopenmp-simd", "-fno-trapping-math", *["-mprefer-vector-width=512"] * (platform.machine() == "x86_64")]
SHARE = 1 << 26  # inputs that a thread takes at a time
NAN_FIRST, NAN_LAST = 0x7F800001, 0x7FFFFFFF

SOURCE = """
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DEGREE @DEGREE@
#define LARGEST 0x1.fffffep127

struct found { double most, sum; uint64_t failures; uint32_t worst, failed; float given; };

static inline double as_double(uint64_t bits) { double x; memcpy(&x, &bits, sizeof x); return x; }
static inline uint64_t as_bits(double x) { uint64_t bits; memcpy(&bits, &x, sizeof bits); return bits; }
static inline float as_float(uint32_t bits) { float x; memcpy(&x, &bits, sizeof x); return x; }

/* the float32 numbers with bits first, first + 1, ... */
void numbers(uint32_t first, float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++)
        x[i] = as_float(first + (uint32_t)i);
}

/* in units in the last place at the exact value r; where r is next to a power of two, in the smaller unit */
static inline double error(float y, double r) {
    const double size = fabs(r), size_y = fabs((double)y);
    const double held = size > 0x1p128 ? copysign(0x1p128, r) : r;
    const double given = size_y > LARGEST ? copysign(0x1p128, (double)y) : (double)y;
    const uint64_t field = as_bits(size * (1.0 - 0x1p-40)) >> 52;
    const uint64_t clamped = field < 897u ? 897u : field > 1150u ? 1150u : field;
    return fabs(given - held) * as_double((2069u - clamped) << 52);
}

static inline double reference(float x, double centre, double scale, const double *c) {
    const double t = ((double)x - centre) * scale;
    double r = c[DEGREE];
    for (int k = DEGREE - 1; k >= 0; k--)
        r = r * t + c[k];
    return r;
}

void compare(const float *restrict x, const float *restrict y, size_t n, double centre, double scale,
             const double *restrict c, uint32_t first, struct found *found) {
    double sum = 0.0;
    uint64_t most = 0, failures = 0;
#pragma omp simd reduction(+:sum, failures) reduction(max:most)
    for (size_t i = 0; i < n; i++) {
        const double r = reference(x[i], centre, scale, c);
        const uint64_t fails = !(fabsf(y[i]) <= (float)LARGEST) & !(fabs(r) >= LARGEST);
        const double e = error(fails ? 0.0f : y[i], fails ? 0.0 : r);
        const uint64_t bits = as_bits(e);
        sum += e;
        failures += fails;
        most = bits > most ? bits : most;
    }
    found->sum += sum;
    if (as_double(most) > found->most || found->most < 0.0) {
        found->most = as_double(most);
        for (size_t i = 0; i < n; i++) {
            const double r = reference(x[i], centre, scale, c);
            const int fails = !(fabsf(y[i]) <= (float)LARGEST) & !(fabs(r) >= LARGEST);
            if (!fails && as_bits(error(y[i], r)) == most) {
                found->worst = first + (uint32_t)i;
                found->given = y[i];
                break;
            }
        }
    }
    if (failures && !found->failures)
        for (size_t i = 0; i < n; i++)
            if (!(fabsf(y[i]) <= (float)LARGEST) & !(fabs(reference(x[i], centre, scale, c)) >= LARGEST)) {
                found->failed = first + (uint32_t)i;
                break;
            }
    found->failures += failures;
}
""".replace("@DEGREE@", str(DEGREE))


class _Found(ctypes.Structure):
    _fields_ = (
        ("most", ctypes.c_double),
        ("sum", ctypes.c_double),
        ("failures", ctypes.c_uint64),
        ("worst", ctypes.c_uint32),
        ("failed", ctypes.c_uint32),
        ("given", ctypes.c_float),
    )


@dataclass(frozen=True)
class Part:
    """What was found on a patch: the largest error, up to `patch.error`, the bits where, what was given there; the sum.

    `failures` counts results that are no numbers, and `failed` has the bits of the first such input.
    """

    patch: Patch
    most: float
    worst: int
    given: float
    sum: float
    failures: int
    failed: int


def scan(
    call: Arrays, patches: Sequence[Patch], threads: int | None = None, heard: Callable[[int], None] | None = None
) -> list[Part]:
    """A part for each patch, in order; `heard` is told how many inputs are done. Undecided without a C compiler."""
    library = _library()
    tasks = list(_shared(patches))
    found: list[Part] = []
    done = 0
    pool = ThreadPoolExecutor(threads or os.cpu_count())
    try:
        futures = [pool.submit(_on_patches, library, call, task) for task in tasks]
        for task, future in zip(tasks, futures, strict=True):
            found += future.result()
            done += sum(patch.count for patch in task)
            if heard:
                heard(done)
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def nan_inputs(call: Arrays) -> int:
    """How many of the 16,777,214 nans give something else."""
    library, wrong = _library(), 0
    for sign in (0, NEGATIVE):
        for first in range(NAN_FIRST, NAN_LAST + 1, BLOCK):
            x = np.empty(min(BLOCK, NAN_LAST + 1 - first), np.float32)
            library.numbers(first | sign, x.ctypes.data, x.size)
            wrong += int((~np.isnan(call(x))).sum())
    return wrong


def cut(patches: Sequence[Patch], places: Sequence[int]) -> list[Patch]:
    """The patches, cut so that each place, given by its bits, begins one."""
    found = []
    ordered = iter([*sorted(places), math.inf])
    place = next(ordered)
    for patch in patches:
        while place <= patch.last:
            if place > patch.first:
                before, patch = patch.cut(int(place))
                found.append(before)
            place = next(ordered)
        found.append(patch)
    return found


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(built(SOURCE, FLAGS)))
    pointer, size, double = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_double
    library.numbers.argtypes = [ctypes.c_uint32, pointer, size]
    library.compare.argtypes = [pointer, pointer, size, double, double, pointer, ctypes.c_uint32, pointer]
    library.numbers.restype = library.compare.restype = None
    return library


def _shared(patches: Sequence[Patch]) -> Iterator[list[Patch]]:
    """Neighbouring patches together, until they are a share."""
    task: list[Patch] = []
    for patch in patches:
        task.append(patch)
        if sum(p.count for p in task) >= SHARE:
            yield task
            task = []
    if task:
        yield task


def _on_patches(library: ctypes.CDLL, call: Arrays, patches: Sequence[Patch]) -> list[Part]:
    return [_on_patch(library, call, patch) for patch in patches]


def _on_patch(library: ctypes.CDLL, call: Arrays, patch: Patch) -> Part:
    found = _Found(-1.0, 0.0, 0, patch.first, 0, math.nan)
    coefficients = np.array(patch.coefficients)
    for first in range(patch.first, patch.first + patch.count, BLOCK):
        n = min(BLOCK, patch.first + patch.count - first)
        x = np.empty(n, np.float32)
        library.numbers(first, x.ctypes.data, n)
        y = np.ascontiguousarray(call(x), np.float32)
        if y.shape != x.shape:
            raise Undecided(f"results of shape {y.shape} for inputs of shape {x.shape}")
        where = [a.ctypes.data for a in (x, y)]
        library.compare(*where, n, patch.centre, patch.scale, coefficients.ctypes.data, first, ctypes.byref(found))
    return Part(patch, found.most, found.worst, found.given, found.sum, found.failures, found.failed)

// What one instruction set gives the probe.
#pragma once

namespace bench {

/** How a kernel uses memory: reads it, writes one stream from none, one or two, or changes one. */
enum class Stream { read, fill, copy, add, update };

struct Lanes {
  /** Does `count` rounds of independent multiply-adds in registers; returns their floating-point
   * operations. */
  double (*multiplyAdds)(long count);
  /**
   * Goes once over `count` floats of each stream, a multiple of 256; `past` stores past the caches,
   * `parted` goes over four parts at once. Buffers are aligned to 64 bytes.
   */
  void (*stream)(Stream kind, const float* a, const float* b, float* y, long count, bool past,
                 bool parted);
};

}  // namespace bench

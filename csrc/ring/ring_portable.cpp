#include "ring/ring_kernels.h"

namespace petcore::ring {
namespace {

struct Lane {
  using V = Word;
  using S = std::int64_t;
  using Factor = Word;
  using Sum = Word;
  static constexpr std::size_t kWords = 1, kTileRows = 3, kTileVectors = 3, kDepth = 256,
                               kRows = 126, kColumns = 510;
  static constexpr bool kPairs = true;

  static Factor factor(V x) { return x; }
  static void madd(Sum& sum, Factor right, V left) { sum += left * right; }
  static void stream(Word* to, V x) { *to = x; }
  static void fence() {}
  static V total(Sum sum) { return sum; }
};

#include "ring/ring_core.h"

#include "ring/ring_tile_core.h"

#include "ring/ring_matmul_core.h"
}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::ring

// A proof that many pairs of points have one ratio: discrete logarithm equivalence of RFC 9497,
// section 2.2, in a batch. k A = B and k C[i] = D[i] for all i.
#pragma once

#include <string>

#include "base/buffer.h"
#include "base/pool.h"
#include "group/p256.h"

namespace petcore::oprf {

// Statement: A is the generator; C and D are encoded points, one after another, checked before.
struct Statement {
  const std::string& context;  // section 3.1
  const group::Point& b;
  ConstBytes c, d;
};

// prove writes the proof, 64 bytes.
void prove(Bytes out, Pool& pool, const Statement& statement, const group::Scalar& k,
           const group::Scalar& nonce);
// verify says whether the proof holds; scalars that are none raise Code::frame.
bool verify(ConstBytes proof, Pool& pool, const Statement& statement);

}  // namespace petcore::oprf

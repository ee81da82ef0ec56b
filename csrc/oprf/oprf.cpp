#include "oprf/oprf.h"

#include <algorithm>

#include "group/expand.h"
#include "oprf/proof.h"

namespace petcore::oprf {
namespace {

using group::bytes_of;
using group::kPointBytes;
using group::Point;
using group::Scalar;

constexpr std::size_t kGrain = 8;

std::string context_of(Mode mode) {
  std::string context = "OPRFV1-";
  context += static_cast<char>(mode);
  return context + "-P256-SHA256";
}

std::array<std::byte, 2> length_of(ConstBytes bytes) {
  return {static_cast<std::byte>(bytes.size() >> 8), static_cast<std::byte>(bytes.size())};
}

void check_info(Mode mode, ConstBytes info) {
  check(mode == Mode::poprf || info.empty(), Code::usage, "only the mode poprf takes info");
  check(info.size() <= kInputBytesMax, Code::usage, "info has at most 65,535 bytes");
}

void check_inputs(Inputs inputs) {
  check(!inputs.empty() && inputs.size() <= kBatchMax, Code::usage,
        "a batch has 1 to 65,535 inputs");
  for (const ConstBytes input : inputs)
    check(input.size() <= kInputBytesMax, Code::usage, "an input has at most 65,535 bytes");
}

std::size_t check_elements(ConstBytes elements) {
  const std::size_t n = elements.size() / kPointBytes;
  check(elements.size() % kPointBytes == 0 && n > 0 && n <= kBatchMax, Code::frame,
        "a batch has 1 to 65,535 elements of 33 bytes");
  return n;
}

// tweak_of is the scalar that stands for info.
Scalar tweak_of(const std::string& context, ConstBytes info) {
  const auto length = length_of(info);
  const std::array<ConstBytes, 3> framed = {bytes_of("Info"), length, info};
  return group::hash_to_scalar(framed, "HashToScalar-" + context);
}

Scalar tweaked_key(Mode mode, const Scalar& key, ConstBytes info) {
  if (mode != Mode::poprf) return key;
  const Scalar tweaked = key + tweak_of(context_of(mode), info);
  check(!tweaked.is_zero(), Code::usage, "this info stands for the key itself: replace the key");
  return tweaked;
}

// The inverse is applied in poprf, so that info cannot be chosen to undo the key.
Scalar factor_of(Mode mode, const Scalar& tweaked) {
  return mode == Mode::poprf ? tweaked.inverse() : tweaked;
}

group::Digest output_of(Mode mode, ConstBytes input, ConstBytes info, const Point& element) {
  std::array<std::byte, kPointBytes> encoded;
  element.encode(encoded);
  const auto input_length = length_of(input), info_length = length_of(info),
             element_length = length_of(encoded);
  std::vector<ConstBytes> parts = {input_length, input};
  if (mode == Mode::poprf) parts.insert(parts.end(), {ConstBytes(info_length), info});
  parts.insert(parts.end(), {ConstBytes(element_length), encoded, bytes_of("Finalize")});
  return group::sha256(parts);
}

// verify_answers checks the proof of a whole batch; in poprf the pairs stand the other way round.
void verify_answers(Pool& pool, Mode mode, ConstBytes server_key, ConstBytes blinded,
                    ConstBytes evaluated, ConstBytes proof, ConstBytes info) {
  const std::string context = context_of(mode);
  Point key = Point::decode(server_key, Code::usage);
  if (mode == Mode::poprf) key = key + Point::generator_multiple(tweak_of(context, info));
  check(!key.is_infinity(), Code::usage, "this info undoes the server's key");
  const Statement statement = mode == Mode::poprf ? Statement{context, key, evaluated, blinded}
                                                  : Statement{context, key, blinded, evaluated};
  check(verify(proof, pool, statement), Code::untrusted,
        "the server's proof does not hold: it used another key than the one it published");
}

}  // namespace

Scalar derive_key(Mode mode, ConstBytes seed, ConstBytes info) {
  check(seed.size() == kSeedBytes, Code::usage, "the seed of a key has 32 bytes");
  check(info.size() <= kInputBytesMax, Code::usage, "info has at most 65,535 bytes");
  const auto length = length_of(info);
  for (unsigned counter = 0; counter < 256; ++counter) {
    const std::array<std::byte, 1> end = {static_cast<std::byte>(counter)};
    const std::array<ConstBytes, 4> parts = {seed, length, info, end};
    const Scalar key = group::hash_to_scalar(parts, "DeriveKeyPair" + context_of(mode));
    if (!key.is_zero()) return key;
  }
  throw Error(Code::internal, "no key could be derived");
}

void public_key(Bytes out, const Scalar& key) { Point::generator_multiple(key).encode(out); }

Buffer<std::byte> blind(Pool& pool, Mode mode, Inputs inputs, std::span<const Scalar> blinds) {
  check_inputs(inputs);
  check(blinds.size() == inputs.size(), Code::usage, "every input has a blind of its own");
  const std::string tag = "HashToGroup-" + context_of(mode);
  Buffer<std::byte> out(inputs.size() * kPointBytes);
  pool.parallel_for(inputs.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      (blinds[i] * group::hash_to_curve(inputs[i], tag))
          .encode(out.span().subspan(i * kPointBytes, kPointBytes));
  });
  return out;
}

Evaluation evaluate(Pool& pool, Mode mode, const Scalar& key, ConstBytes blinded, ConstBytes info,
                    const Scalar& nonce) {
  check_info(mode, info);
  const std::size_t n = check_elements(blinded);
  const Scalar tweaked = tweaked_key(mode, key, info);
  std::vector<Point> points(n);
  group::decode_each(pool, points, blinded);
  group::multiply_each(pool, points, points, factor_of(mode, tweaked));
  Evaluation out{Buffer<std::byte>(blinded.size()), {}};
  group::encode_each(pool, out.elements.span(), points);
  if (mode == Mode::oprf) return out;
  out.proof = Buffer<std::byte>(kProofBytes);
  const std::string context = context_of(mode);
  const Point published = Point::generator_multiple(tweaked);
  const ConstBytes answers = out.elements.span();
  const Statement statement = mode == Mode::poprf ? Statement{context, published, answers, blinded}
                                                  : Statement{context, published, blinded, answers};
  prove(out.proof.span(), pool, statement, tweaked, nonce);
  return out;
}

Buffer<std::byte> finalize(Pool& pool, Mode mode, ConstBytes server_key, const Asked& asked,
                           ConstBytes evaluated, ConstBytes proof, ConstBytes info) {
  check_info(mode, info);
  check_inputs(asked.inputs);
  const std::size_t n = asked.inputs.size();
  check(asked.blinds.size() == n && asked.blinded.size() == n * kPointBytes, Code::usage,
        "blinds and blinded elements are not those of these inputs");
  check(evaluated.size() == n * kPointBytes, Code::frame,
        "the server's answers are not as many as the inputs");
  std::vector<Point> points(n);
  group::decode_each(pool, points, evaluated);
  if (mode == Mode::oprf)
    check(proof.empty(), Code::frame, "the mode oprf has no proof");
  else
    verify_answers(pool, mode, server_key, asked.blinded, evaluated, proof, info);
  std::vector<Scalar> inverses(asked.blinds.begin(), asked.blinds.end());
  group::invert_each(inverses);
  Buffer<std::byte> out(n * kOutputBytes);
  pool.parallel_for(n, kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto output = output_of(mode, asked.inputs[i], info, inverses[i] * points[i]);
      std::copy(output.begin(), output.end(), out.begin() + i * kOutputBytes);
    }
  });
  return out;
}

Buffer<std::byte> evaluate_known(Pool& pool, Mode mode, const Scalar& key, Inputs inputs,
                                 ConstBytes info) {
  check_info(mode, info);
  check_inputs(inputs);
  const Scalar factor = factor_of(mode, tweaked_key(mode, key, info));
  const std::string tag = "HashToGroup-" + context_of(mode);
  Buffer<std::byte> out(inputs.size() * kOutputBytes);
  pool.parallel_for(inputs.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const Point element = factor * group::hash_to_curve(inputs[i], tag);
      const auto output = output_of(mode, inputs[i], info, element);
      std::copy(output.begin(), output.end(), out.begin() + i * kOutputBytes);
    }
  });
  return out;
}

}  // namespace petcore::oprf

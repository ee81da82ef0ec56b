// Silent correlated OT: seeds travel, transfers are computed. Punctured trees (half_tree.h) give
// q and t that differ by delta in one place of every run; those places are noise of which the code
// of expand_convolute.h makes bits u that look random, and with them q = t ^ u delta (Boyle,
// Couteau, Gilboa, Ishai, Kohl, Rindal, Scholl, "Efficient Two-Round OT Extension and Silent
// Non-Interactive Secure Computation", CCS 2019, section 4). Choices c take one bit each: the
// receiver sends c ^ u.
//
// Why dual LPN under an expand-convolute code and not Ferret (Yang, Weng, Lan, Zhang, Wang, CCS
// 2020): its noise is 256 places, not thousands, so a refill of a tenth of the size costs as few
// bits for each transfer; nothing made is kept back for the next refill, so what a crash destroys
// is never needed again; and no sparse matrix of 10 entries a row is assumed to be hard, but that
// no one finds light words of a code whose distance is studied. Ferret computes faster; below 300
// Mbit/s the link is what is waited for.
//
// Functionality: correlated OT with chosen choices (cot.h). Assumption: dual LPN with regular
// noise (noise.h has parameters and attacks), the hash of half_tree.h, the base transfers.
// Adversary: semi-honest. The base transfers may be checked against a receiver; a sender that sends
// wrong trees is not caught, and may learn of a failure that it depends on where the noise is.
// Leaks: nothing but sizes.
//
// Refills are for 131,072 to 2,097,152 transfers, as many as are missing or have been made before,
// and take two flights: base transfers from receiver to sender, trees back. Bytes of the largest:
// 3,584 base transfers and 57 kB of trees, 0.27 bits a transfer over SoftSpokenOT with k = 4; with
// the choices' bits 1.27 in all, for 10^7 transfers with the base OTs.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include "base/buffer.h"
#include "base/pool.h"
#include "net/channel.h"
#include "ot/cot.h"
#include "ot/half_tree.h"
#include "ot/noise.h"

namespace petcore::ot {

constexpr std::size_t kRefillMin = kNoiseMin << 9, kRefillMax = kNoiseMin << 13;
// Transfers that can lie in stock; to reserve more raises Code::usage.
constexpr std::size_t kReserveMax = std::size_t{1} << 24;

// Stock: transfers made and not yet taken out. A transfer leaves it before anything of it is used.
class Stock {
 public:
  // Lot is transfers of one refill, the bits u of the receiver only.
  struct Lot {
    Buffer<Block> blocks;
    Buffer<std::uint64_t> bits;
  };
  // Taken is a part of a lot, with the number of its first transfer there.
  struct Taken {
    std::shared_ptr<const Lot> lot;
    std::size_t first, n;
    std::span<const Block> blocks() const { return lot->blocks.span().subspan(first, n); }
  };

  std::size_t size() const { return size_; }
  // next_refill is how many transfers to make when `missing` are asked for.
  NoiseShape next_refill(std::size_t missing) const;
  void add(Lot lot);
  // take takes out up to n transfers, at least one; the stock is not empty.
  Taken take(std::size_t n);

 private:
  std::deque<std::shared_ptr<const Lot>> lots_;
  std::size_t size_ = 0, used_ = 0;  // used_: of the first lot
  std::size_t made_ = 0;
};

// The base OTs belong to the first reserve or extend; reserve for none runs only them. Base
// transfers, channel and pool as in extension.h. A call that throws leaves the extension
// unusable: later ones raise Code::broken.
class SilentSender : public CotSender {
 public:
  SilentSender(std::shared_ptr<net::Channel> channel, std::unique_ptr<CotSender> base, Pool& pool);
  Block delta() const override { return base_->delta(); }
  void reserve(const net::Step& step, std::size_t n) override;
  void extend(const net::Step& step, std::span<Block> q) override;

 private:
  void refill(const net::Step& step, std::size_t missing);

  std::shared_ptr<net::Channel> channel_;
  std::unique_ptr<CotSender> base_;
  Pool& pool_;
  Stock stock_;
  std::uint64_t trees_made_ = 0;
  bool broken_ = false;
};

class SilentReceiver : public CotReceiver {
 public:
  SilentReceiver(std::shared_ptr<net::Channel> channel, std::unique_ptr<CotReceiver> base,
                 Pool& pool);
  void reserve(const net::Step& step, std::size_t n) override;
  void extend(const net::Step& step, ConstWords choices, std::span<Block> t) override;

 private:
  void refill(const net::Step& step, std::size_t missing);

  std::shared_ptr<net::Channel> channel_;
  std::unique_ptr<CotReceiver> base_;
  Pool& pool_;
  Stock stock_;
  std::uint64_t trees_made_ = 0;
  bool broken_ = false;
};

}  // namespace petcore::ot

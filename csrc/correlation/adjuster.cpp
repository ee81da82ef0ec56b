#include "correlation/adjuster.h"

#include "correlation/keys.h"
#include "correlation/products.h"

namespace petcore::correlation {
namespace {

// Chunks of one size follow each other: their memory is kept.
Words sized(Buffer<std::uint64_t>& buffer, std::size_t size) {
  if (buffer.size() != size) buffer = Buffer<std::uint64_t>(size);
  return buffer.span();
}

}  // namespace

std::span<const ConstWords> Adjuster::make(const Request& request, std::uint64_t chunk,
                                           const Streams (&streams)[2],
                                           const prg::Seed (&seeds)[2]) {
  const std::uint64_t units = request.units_in_chunk(chunk);
  const Layout sizes = layout(request, units);
  for (std::size_t i = 0; i < sizes.num_products; ++i)
    made_[i] = sized(products_[i], sizes.products[i]);
  if (dealt_to_both(request)) {
    deal_keys(request, chunk, streams, products_[0].span(), products_[1].span(), pool_);
  } else {
    sum_masks(request, chunk, streams, sizes);
    make_products(request, units, seeds, masks_, products_, pool_);
    for (std::size_t i = 0; i < sizes.num_products; ++i)
      subtract_share(request, chunk, streams[0], i);
  }
  return std::span(made_).first(sizes.num_products);
}

void Adjuster::sum_masks(const Request& request, std::uint64_t chunk, const Streams (&streams)[2],
                         const Layout& sizes) {
  if (is_crossed(request)) {
    for (std::size_t party = 0; party < 2; ++party)
      streams[party].mask(0, chunk, sized(masks_[party], sizes.masks[0]), pool_);
    return;
  }
  for (std::size_t i = 0; i < sizes.num_masks; ++i) {
    const Words mask = sized(masks_[i], sizes.masks[i]);
    streams[0].mask(i, chunk, mask, pool_);
    switch (const Group group = mask_group(request, i)) {
      case Group::words:
        streams[1].mask(i, chunk, plus(mask, mask), pool_);
        break;
      case Group::bits:
        streams[1].mask(i, chunk, toggled(mask, mask), pool_);
        break;
      default:
        streams[1].mask(i, chunk, sized(share_, mask.size()), pool_);
        combine(mask, share_.span(), group);
    }
  }
}

void Adjuster::subtract_share(const Request& request, std::uint64_t chunk, const Streams& streams,
                              std::size_t index) {
  const Words product = products_[index].span();
  switch (const Group group = product_group(request, index)) {
    case Group::words:
      return streams.product(index, chunk, minus(product, product), pool_);
    case Group::bits:
      return streams.product(index, chunk, toggled(product, product), pool_);
    default:
      streams.product(index, chunk, sized(share_, product.size()), pool_);
      subtract(product, share_.span(), group);
  }
}

}  // namespace petcore::correlation

// Any bytes as a YAML file: read into a tree with places, or refused with findings. It never crashes and always ends;
// every place stands inside the file; what a place shows is what the tree holds.
#include <cstdint>
#include <string>

#include "engine/source/scalar.h"
#include "engine/source/tree.h"
#include "tools/fuzz/places.h"

namespace {

using namespace failover;  // NOLINT(google-build-using-namespace)
using fuzz::hold;
using source::Node;

struct Walk {
  const source::File& file;
  std::size_t nodes = 0;

  void visit(const Node& node, std::size_t depth) {
    hold(++nodes <= source::kMostNodes + 1, "no more nodes than are allowed");
    hold(depth <= source::kDeepest + 1, "no deeper than is allowed");
    fuzz::inside(node.span, file, "a node stands in its file");
    hold(node.is_sequence() || node.items.empty(), "only a sequence has items");
    hold(node.is_mapping() || node.entries.empty(), "only a mapping has entries");
    if (node.is_scalar()) scalar(node);
    for (const auto& item : node.items) visit(item, depth + 1);
    for (const auto& entry : node.entries) {
      fuzz::inside(entry.key_span, file, "a key stands in its file");
      hold(node.find(entry.key) != nullptr, "a key is found by its name");
      visit(entry.value, depth + 1);
    }
  }

  // Places inside of a scalar's text lead into its span, in order.
  void scalar(const Node& node) const {
    const std::size_t size = node.text.size();
    const std::size_t step = size / 16 + 1;
    std::size_t last = node.span.begin;
    for (std::size_t at = 0; at < size; at += step) {
      const source::Span span = source::locate(file, node, at, std::min(at + step, size));
      fuzz::inside(span, file, "a part of a scalar stands in its file");
      hold(span.begin >= node.span.begin && span.end <= std::max(node.span.end, span.begin),
           "a part of a scalar stands in the scalar");
      hold(span.begin >= last, "parts of a scalar are in order");
      last = span.begin;
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file =
      std::make_shared<const source::File>("fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size));
  source::Diagnostics diagnostics;
  const auto document = source::parse(file, diagnostics);
  fuzz::hold_findings(diagnostics);
  hold(document != nullptr || diagnostics.errors() > 0, "what cannot be read has a reason");
  if (document != nullptr) Walk{*file}.visit(document->root, 0);
  return 0;
}

#include "engine/source/tree.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "engine/base/text.h"
#include "engine/source/builder.h"
#include "engine/source/events.h"
#include "engine/source/scalar_text.h"
#include "engine/source/syntax.h"

namespace failover::source {
namespace {

struct Unseen {
  std::size_t length = 0;  // in bytes; 0: nothing of the kind
  const char* what = "a control character";
  std::string name{};
};

// What YAML does not allow to stand in a file as it is (1.2.2, 5.1), and the three line breaks that only some readers
// take for such (5.4).
Unseen unseen_at(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  char name[8];
  if (byte < 0x20 || byte == 0x7F) {
    const bool line_break = byte == '\n' || (byte == '\r' && at + 1 < text.size() && text[at + 1] == '\n');
    if (line_break || byte == '\t') return {};
    std::snprintf(name, sizeof name, "0x%02x", byte);
    return {1, "a control character", name};
  }
  if (byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0) {
    const auto second = static_cast<unsigned char>(text[at + 1]);
    std::snprintf(name, sizeof name, "U+%04X", second);
    return {2, second == 0x85 ? "a line break that only some readers know" : "a control character", name};
  }
  if (byte != 0xE2 && byte != 0xEF) return {};
  const std::string_view three = text.substr(at, 3);
  if (three == "\xE2\x80\xA8") return {3, "a line break that only some readers know", "U+2028"};
  if (three == "\xE2\x80\xA9") return {3, "a line break that only some readers know", "U+2029"};
  if (three == "\xEF\xBB\xBF" && at > 0) return {3, "a byte order mark inside of the file", "U+FEFF"};
  if (three == "\xEF\xBF\xBE") return {3, "what is no character", "U+FFFE"};
  if (three == "\xEF\xBF\xBF") return {3, "what is no character", "U+FFFF"};
  return {};
}

// What no YAML parser should see: sizes, encodings, control characters.
bool readable(const FilePtr& file, Diagnostics& diagnostics) {
  const std::string& text = file->text();
  if (text.size() > kLargestFile) {
    diagnostics.error(
        file, {0, 0}, "too-large",
        "the file has " + std::to_string(text.size()) + " bytes, more than " + std::to_string(kLargestFile),
        "split it");
    return false;
  }
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    diagnostics.error(file, {0, 2}, "not-utf8", "the file is UTF-16, not UTF-8", "save it as UTF-8");
    return false;
  }
  if (const auto bad = base::invalid_utf8(text)) {
    diagnostics.error(file, {*bad, *bad + 1}, "not-utf8", "the file is not valid UTF-8 here", "save it as UTF-8");
    return false;
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const Unseen unseen = unseen_at(text, at);
    if (unseen.length == 0) continue;
    diagnostics.error(file, {at, at + unseen.length}, "control-character",
                      std::string(unseen.what) + " (" + unseen.name + ") stands here",
                      "remove it, or write it as an escape in double quotes");
    return false;
  }
  return true;
}

}  // namespace

const Entry* Node::find(std::string_view key) const {
  for (const auto& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

DocumentPtr parse(const FilePtr& file, Diagnostics& diagnostics) {
  if (!readable(file, diagnostics)) return nullptr;
  const std::size_t origin = file->line_start(1);
  Diagnostics found;
  Builder builder(file, origin, found);
  Events events(file->text(), origin);
  Event event;
  do {
    if (!events.next(event)) {
      explain_syntax(events.problem(), file, builder.open_brackets(), found, diagnostics);
      return nullptr;
    }
    if (!builder.on(event)) {
      diagnostics.append(found);
      return nullptr;
    }
  } while (event.kind != Event::Kind::end);
  diagnostics.append(found);
  auto document = std::make_shared<Document>();
  document->file = file;
  document->root = builder.take();
  if (builder.documents() == 0 || (document->root.is_null() && !document->root.broken)) {
    diagnostics.error(file, document->root.span, "empty-file", "the file holds nothing", "start with `name:`");
    return nullptr;
  }
  return document;
}

Span locate(const File& file, const Node& node, std::size_t begin, std::size_t end) {
  return Places(file, node).of(begin, end);
}

Span Places::of(std::size_t begin, std::size_t end) {
  const Node& node = node_;
  if (!node.is_scalar() || begin > node.text.size()) return node.span;
  end = std::clamp(end, begin, node.text.size());
  if (node.style == Node::Style::plain && node.span.end - node.span.begin == node.text.size()) {
    return {node.span.begin + begin, node.span.begin + end};
  }
  if (!std::exchange(walked_, true)) aligned_ = align(file_.text(), node.span, node.style, node.text);
  const auto& places = aligned_;
  if (!places) return node.span;
  const std::size_t from = (*places)[begin];
  if (end == begin) return {from, from};
  // Up to the last byte's own end: the next byte's place may lie behind folding.
  std::size_t past = (*places)[end];
  const std::string_view text = file_.text();
  if (end < node.text.size()) {
    const std::size_t last = (*places)[end - 1];
    const std::size_t line = text.find('\n', last);
    if (line != std::string_view::npos && line < past)
      past = std::max(last + 1, text[line - 1] == '\r' ? line - 1 : line);
  }
  return {from, std::max(past, from)};
}

}  // namespace failover::source

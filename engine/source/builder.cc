#include "engine/source/builder.h"

#include <algorithm>
#include <utility>

#include "engine/source/lookalike.h"
#include "engine/source/scalar_text.h"

namespace failover::source {
namespace {

constexpr std::size_t kFewKeys = 16;

bool space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Past space and comments.
std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    if (space(text[at])) {
      ++at;
    } else if (text[at] == '#' && (at == 0 || space(text[at - 1]) || text[at - 1] == ',')) {
      while (at < text.size() && text[at] != '\n') ++at;
    } else {
      break;
    }
  }
  return at;
}

bool null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

}  // namespace

Builder::Builder(FilePtr file, std::size_t origin, Diagnostics& diagnostics)
    : file_(std::move(file)), text_(file_->text()), diagnostics_(diagnostics), cursor_(origin) {}

bool Builder::on(const Event& event) {
  switch (event.kind) {
    case Event::Kind::document: return document(event);
    case Event::Kind::close: close(event); return true;
    case Event::Kind::end: return true;
    default: break;
  }
  if (skipping_ > 0) {
    if (event.kind == Event::Kind::sequence || event.kind == Event::Kind::mapping) ++skipping_;
    return skipping_ <= kDeepest;  // why it ends is said: it began with braces
  }
  if (!count(event.span.begin)) return false;
  if (event.kind == Event::Kind::scalar) return scalar(event);
  if (event.kind != Event::Kind::alias) return open(event);
  alias(event);
  return true;
}

bool Builder::wants_key() const { return !open_.empty() && open_.back().node.is_mapping() && !open_.back().has_key; }

void Builder::drop_key() {
  open_.back().has_key = true;
  open_.back().keep = false;
}

bool Builder::count(std::size_t at) {
  if (++nodes_ <= kMostNodes) return true;
  diagnostics_.error(file_, {at, at + 1}, "too-many-nodes",
                     "more than " + std::to_string(kMostNodes) + " values in one file", "split it");
  return false;
}

bool Builder::document(const Event& event) {
  if (++documents_ == 1) return true;
  const std::size_t at = event.span.begin;
  if (text_.substr(at).starts_with("---")) {
    diagnostics_.error(file_, {at, at + 3}, "several-documents", "a second document starts here",
                       "one file holds one document: remove the `---` and what follows it");
  } else {
    diagnostics_.error(file_, {at, at + 1}, "yaml-syntax", "this does not belong to what stands before it",
                       "check the indentation and the brackets and quotes above");
  }
  return false;
}

std::size_t Builder::properties(const Event& event) {
  if (!event.tagged && !event.anchored) return event.span.begin;
  const std::size_t first = event.span.begin;
  const std::size_t value = skip_properties(text_, first);
  std::size_t end = value;
  while (end > first && space(text_[end - 1])) --end;
  const std::string what(text_.substr(first, end - first));
  if (event.tagged) {
    diagnostics_.error(file_, {first, end}, "yaml-tag", "`" + what + "` is a YAML tag here, not part of the value",
                       "put quotes around the whole value");
  } else {
    diagnostics_.error(file_, {first, end}, "yaml-anchor", "anchors are not used here", "remove `" + what + "`");
  }
  return skip_space(text_, value);
}

void Builder::null(const Event& event) {
  const Span span = null_span({std::min(properties(event), event.span.end), event.span.end});
  cursor_ = std::max(cursor_, event.span.end);
  if (wants_key()) {
    const std::size_t at = event.span.begin;
    diagnostics_.error(file_, {at, at + 1}, "bad-key", "a key is missing here", "write it before the `:`");
    return drop_key();
  }
  Node node;
  node.span = span;
  add(std::move(node));
}

// A null that is written has its own place, any other its key's or its dash's.
Span Builder::null_span(Span written) const {
  if (written.end > written.begin || open_.empty()) return written;
  if (open_.back().node.is_mapping() && open_.back().has_key) return open_.back().entry.key_span;
  const std::size_t at = written.begin;
  if (at > 0 && text_[at - 1] == '-') return {at - 1, at};
  return written;
}

void Builder::alias(const Event& event) {
  diagnostics_.error(file_, event.span, "yaml-alias", "aliases are not used here",
                     "write the value out, or quote it if the `*` belongs to it");
  cursor_ = event.span.end;
  if (wants_key()) return drop_key();
  Node node;
  node.span = event.span;
  node.broken = true;
  add(std::move(node));
}

bool Builder::scalar(const Event& event) {
  if (event.style == Node::Style::plain && !event.tagged && null_word(event.text)) {
    null(event);
    return true;
  }
  const std::size_t at = std::min(properties(event), event.span.end);
  Span span{at, event.span.end};
  // A block's end is where the next thing begins: the last of its text is wanted.
  if (event.style == Node::Style::literal || event.style == Node::Style::folded) {
    span.end = block_end(text_, at, event.style, event.text);
  }
  cursor_ = span.end;
  const bool plain = event.style == Node::Style::plain;
  if (wants_key()) {
    key(std::string(event.text), span);
    if (plain && looks_like(span, true)) {
      open_.back().keep = false;
      open_.back().node.broken = true;  // what it lacks may be in there
    }
    return true;
  }
  Node node;
  node.kind = Node::Kind::scalar;
  node.style = event.style;
  node.span = span;
  node.text = event.text;
  node.broken = event.tagged || (plain && looks_like(span, false));
  add(std::move(node));
  return true;
}

const Span* Builder::first_use(const Frame& frame, const std::string& name) const {
  if (!frame.seen.empty()) {
    const auto at = frame.seen.find(name);
    return at == frame.seen.end() ? nullptr : &at->second;
  }
  const Entry* entry = frame.node.find(name);
  return entry == nullptr ? nullptr : &entry->key_span;
}

// A tab in the indentation of a key in block style.
void Builder::tab_before(std::size_t at) {
  std::size_t start = at;
  while (start > 0 && (text_[start - 1] == ' ' || text_[start - 1] == '\t' || text_[start - 1] == '-')) --start;
  if (start > 0 && text_[start - 1] != '\n') return;
  const std::size_t tab = text_.substr(0, at).find('\t', start);
  if (tab != std::string_view::npos) {
    diagnostics_.error(file_, {tab, tab + 1}, "yaml-tab", "a tab cannot indent", "use spaces");
  }
}

bool Builder::looks_like(Span span, bool key) {
  const std::string_view text = text_.substr(span.begin, span.end - span.begin);
  const bool element = !open_.empty() && open_.back().node.is_sequence();
  const std::size_t at = misread(text, key ? Stands::key : element ? Stands::element : Stands::value);
  if (at == std::string_view::npos) return false;
  const Lookalike& found = *lookalike(text.substr(at));
  diagnostics_.error(file_, {span.begin + at, span.begin + at + found.bytes.size()}, "yaml-syntax", found.as_letter(),
                     found.hint());
  return true;
}

void Builder::key(std::string text, Span span) {
  Frame& frame = open_.back();
  frame.has_key = true;
  frame.keep = true;
  frame.entry = {std::move(text), span, {}};
  const std::string& name = frame.entry.key;
  if (frame.node.style == Node::Style::block && open_.size() <= kDeepest) tab_before(span.begin);
  if (name == "<<" && text_[span.begin] == '<') {
    diagnostics_.error(file_, span, "yaml-merge-key", "merge keys are not used here", "write the keys out");
    frame.keep = false;
    frame.node.broken = true;  // what it lacks may be in there
  } else if (const Span* first = first_use(frame, name)) {
    diagnostics_.error(file_, span, "duplicate-key", "`" + name + "` is given twice",
                       "first given in line " + std::to_string(file_->place(first->begin).line));
    frame.keep = false;
  }
  if (frame.keep && !frame.seen.empty()) frame.seen.emplace(name, span);
  if (frame.seen.empty() && frame.node.entries.size() == kFewKeys) {
    for (const auto& entry : frame.node.entries) frame.seen.emplace(entry.key, entry.key_span);
    if (frame.keep) frame.seen.emplace(name, span);
  }
}

void Builder::add(Node node) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = open_.back();
  if (frame.node.is_sequence()) {
    frame.node.items.push_back(std::move(node));
    return;
  }
  frame.has_key = false;
  if (!frame.keep) return;
  frame.entry.value = std::move(node);
  frame.node.entries.push_back(std::move(frame.entry));
}

bool Builder::open(const Event& event) {
  const std::size_t at = properties(event);
  const bool mapping = event.kind == Event::Kind::mapping;
  if (mapping && text_.substr(at).starts_with("{{")) {
    const std::size_t close = text_.find("}}", at);
    const std::size_t line = text_.find('\n', at);
    const std::size_t end = close < line ? close + 2 : std::min(line, text_.size());
    diagnostics_.error(file_, {at, end}, "unquoted-expression", "YAML reads these braces as a mapping",
                       "quote it: \"$" + std::string(text_.substr(at, std::min<std::size_t>(end - at, 60))) + "\"");
    skipping_ = 1;
    cursor_ = end;
    return true;
  }
  if (open_.size() >= kDeepest) {
    diagnostics_.error(file_, {at, at + 1}, "too-deep", "nested more than " + std::to_string(kDeepest) + " levels deep",
                       "flatten it");
    return false;
  }
  Frame frame;
  frame.is_key = wants_key();
  if (frame.is_key) {
    diagnostics_.error(file_, {at, at + 1}, "bad-key", "a key is one word, not a list or a mapping",
                       "quote it if it is text");
  }
  frame.node.kind = mapping ? Node::Kind::mapping : Node::Kind::sequence;
  const bool bracket = event.span.end > at && text_[at] == (mapping ? '{' : '[');
  frame.node.style = bracket ? Node::Style::flow : Node::Style::block;
  frame.node.span = {at, at};
  open_.push_back(std::move(frame));
  if (bracket) cursor_ = at + 1;
  return true;
}

std::vector<std::size_t> Builder::open_brackets() const {
  std::vector<std::size_t> out;
  for (const auto& frame : open_) {
    if (frame.node.style == Node::Style::flow) out.push_back(frame.node.span.begin);
  }
  return out;
}

void Builder::close(const Event& event) {
  if (skipping_ > 0) {
    if (--skipping_ > 0) return;
    if (wants_key()) return drop_key();
    Node node;
    node.broken = true;
    node.span = {cursor_, cursor_};
    return add(std::move(node));
  }
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (frame.node.style == Node::Style::flow) cursor_ = event.span.end;
  frame.node.span.end = std::max(cursor_, frame.node.span.begin);
  if (frame.is_key) return drop_key();
  add(std::move(frame.node));
}

}  // namespace failover::source

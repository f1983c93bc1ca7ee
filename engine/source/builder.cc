#include "engine/source/builder.h"

#include <algorithm>
#include <utility>

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

}  // namespace

Builder::Builder(FilePtr file, std::size_t origin, Diagnostics& diagnostics)
    : file_(std::move(file)), text_(file_->text()), origin_(origin), diagnostics_(diagnostics), cursor_(origin) {}

std::size_t Builder::offset(const YAML::Mark& mark) const {
  const std::size_t at = mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
  return std::min(at + origin_, text_.size());
}

bool Builder::wants_key() const { return !open_.empty() && open_.back().node.is_mapping() && !open_.back().has_key; }

void Builder::count(std::size_t at) {
  if (++nodes_ <= kMostNodes) return;
  diagnostics_.error(file_, {at, at + 1}, "too-many-nodes",
                     "more than " + std::to_string(kMostNodes) + " values in one file", "split it");
  throw Stop{};
}

void Builder::OnDocumentStart(const YAML::Mark& mark) {
  if (++documents_ == 1) return;
  const std::size_t at = offset(mark);
  if (text_.substr(at).starts_with("---")) {
    diagnostics_.error(file_, {at, at + 3}, "several-documents", "a second document starts here",
                       "one file holds one document: remove the `---` and what follows it");
  } else {
    diagnostics_.error(file_, {at, at + 1}, "yaml-syntax", "this does not belong to what stands before it",
                       "check the indentation and the brackets and quotes above");
  }
  throw Stop{};
}

// Tags and anchors are refused where they stand; reading goes on behind them.
std::size_t Builder::properties(std::size_t at, const std::string& tag, YAML::anchor_t anchor, bool& tagged) {
  const std::size_t value = skip_properties(text_, at);
  tagged = !tag.empty() && tag != "?" && tag != "!" && at < text_.size() && value > at;
  if (tagged || anchor != 0) {
    std::size_t first = value;
    while (first > at && space(text_[first - 1])) --first;
    const std::string what(text_.substr(at, first - at));
    if (tagged) {
      diagnostics_.error(file_, {at, first}, "yaml-tag", "`" + what + "` is a YAML tag here, not part of the value",
                         "put quotes around the whole value");
    } else {
      diagnostics_.error(file_, {at, first}, "yaml-anchor", "anchors are not used here", "remove `" + what + "`");
    }
  }
  return value;
}

void Builder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const std::size_t at = offset(mark);
  if (skipping_ > 0) return;
  count(at);
  bool tagged = false;
  if (anchor != 0) properties(at, "", anchor, tagged);
  const Span span = null_span(at);
  if (wants_key()) {
    diagnostics_.error(file_, span, "bad-key", "a key is missing here", "write it before the `:`");
    open_.back().has_key = true;
    open_.back().keep = false;
    return;
  }
  Node node;
  node.span = span;
  add(std::move(node));
}

// A null that is written has its own place, any other its key's or its dash's: the mark points at whatever comes next.
Span Builder::null_span(std::size_t at) const {
  for (const std::string_view word : {"~", "null", "Null", "NULL"}) {
    if (!text_.substr(at).starts_with(word)) continue;
    const std::string_view between = text_.substr(cursor_, at > cursor_ ? at - cursor_ : 0);
    if (between.find('\n') == std::string_view::npos && between.find(',') == std::string_view::npos) {
      return {at, at + word.size()};
    }
  }
  if (open_.empty()) return {at, at};
  if (open_.back().node.is_mapping() && open_.back().has_key) return open_.back().entry.key_span;
  const std::size_t dash = skip_space(text_, cursor_);
  if (open_.back().node.style == Node::Style::block && dash < text_.size()) return {dash, dash + 1};
  return {at, at};
}

void Builder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  if (skipping_ > 0) return;
  const std::size_t at = offset(mark);
  count(at);
  std::size_t end = at + 1;
  while (end < text_.size() && !space(text_[end]) && text_[end] != ',' && text_[end] != ']' && text_[end] != '}') ++end;
  diagnostics_.error(file_, {at, end}, "yaml-alias", "aliases are not used here",
                     "write the value out, or quote it if the `*` belongs to it");
  cursor_ = end;
  if (wants_key()) {
    open_.back().has_key = true;
    open_.back().keep = false;
    return;
  }
  Node node;
  node.span = {at, end};
  node.broken = true;
  add(std::move(node));
}

void Builder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       const std::string& value) {
  if (skipping_ > 0) return;
  bool tagged = false;
  const std::size_t first = offset(mark);
  count(first);
  const std::size_t at = properties(first, tag, anchor, tagged);
  if (tagged && value.empty()) {  // nothing behind the tag: the place of an absent value
    cursor_ = at;
  }
  const Extent scalar = extent(text_, at, value);
  if (!scalar.closed) {
    diagnostics_.error(file_, {at, at + 1}, "unterminated-quote", "this quote is never closed",
                       std::string("close it with `") + text_[at] + "`");
    throw Stop{};
  }
  const Span span{at, std::max(scalar.end, at)};
  cursor_ = span.end;
  if (wants_key()) return key(value, span);
  Node node;
  node.kind = Node::Kind::scalar;
  node.style = scalar.style;
  node.span = span;
  node.text = value;
  node.broken = tagged;
  add(std::move(node));
}

const Span* Builder::first_use(const Frame& frame, const std::string& name) const {
  if (!frame.seen.empty()) {
    const auto at = frame.seen.find(name);
    return at == frame.seen.end() ? nullptr : &at->second;
  }
  const Entry* entry = frame.node.find(name);
  return entry == nullptr ? nullptr : &entry->key_span;
}

void Builder::key(std::string text, Span span) {
  Frame& frame = open_.back();
  frame.has_key = true;
  frame.keep = true;
  frame.entry = {std::move(text), span, {}};
  const std::string& name = frame.entry.key;
  const Place place = file_->place(span.begin);
  const std::string_view before = file_->line(place.line).substr(0, span.begin - file_->line_start(place.line));
  const std::size_t indent = before.find_first_not_of(" \t-");
  if (const std::size_t tab = before.find('\t');
      tab < std::min(indent, before.size()) && open_.size() <= kDeepest && frame.node.style == Node::Style::block) {
    const std::size_t from = file_->line_start(place.line) + tab;
    diagnostics_.error(file_, {from, from + 1}, "yaml-tab", "a tab cannot indent", "use spaces");
  }
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

void Builder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                              YAML::EmitterStyle::value) {
  open(Node::Kind::sequence, mark, tag, anchor);
}

void Builder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) {
  open(Node::Kind::mapping, mark, tag, anchor);
}

void Builder::open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
  if (skipping_ > 0) {
    ++skipping_;
    return;
  }
  bool tagged = false;
  const std::size_t first = offset(mark);
  count(first);
  std::size_t at = properties(first, tag, anchor, tagged);
  if (at != first) at = skip_space(text_, at);
  if (kind == Node::Kind::mapping && text_.substr(at).starts_with("{{")) {
    const std::size_t close = text_.find("}}", at);
    const std::size_t line = text_.find('\n', at);
    const std::size_t end = close < line ? close + 2 : std::min(line, text_.size());
    diagnostics_.error(file_, {at, end}, "unquoted-expression", "YAML reads these braces as a mapping",
                       "quote it: \"$" + std::string(text_.substr(at, std::min<std::size_t>(end - at, 60))) + "\"");
    skipping_ = 1;
    cursor_ = end;
    return;
  }
  if (open_.size() >= kDeepest) {
    diagnostics_.error(file_, {at, at + 1}, "too-deep", "nested more than " + std::to_string(kDeepest) + " levels deep",
                       "flatten it");
    throw Stop{};
  }
  const char bracket = kind == Node::Kind::mapping ? '{' : '[';
  Frame frame;
  frame.is_key = wants_key();
  if (frame.is_key) {
    diagnostics_.error(file_, {at, at + 1}, "bad-key", "a key is one word, not a list or a mapping",
                       "quote it if it is text");
  }
  frame.node.kind = kind;
  frame.node.style = at < text_.size() && text_[at] == bracket ? Node::Style::flow : Node::Style::block;
  frame.node.span = {at, at};
  open_.push_back(std::move(frame));
  if (open_.back().node.style == Node::Style::flow) cursor_ = at + 1;
}

std::vector<std::size_t> Builder::open_brackets() const {
  std::vector<std::size_t> out;
  for (const auto& frame : open_) {
    if (frame.node.style == Node::Style::flow) out.push_back(frame.node.span.begin);
  }
  return out;
}

// Past the closing bracket that follows the cursor; the cursor when there is none (a pair in a list: `[a: b]`).
std::size_t Builder::closing_bracket(char bracket) const {
  std::size_t at = cursor_;
  for (;;) {
    at = skip_space(text_, at);
    if (at >= text_.size()) return cursor_;
    if (text_[at] == bracket) return at + 1;
    const bool filler = text_[at] == ',' || text_[at] == ':' || text_[at] == '?' || text_[at] == '~' ||
                        text_.substr(at).starts_with("null");
    if (!filler) return cursor_;
    at += text_[at] == 'n' ? 4 : 1;
  }
}

void Builder::close() {
  if (skipping_ > 0) {
    if (--skipping_ > 0) return;
    if (wants_key()) {
      open_.back().has_key = true;
      open_.back().keep = false;
      return;
    }
    Node node;
    node.broken = true;
    node.span = {cursor_, cursor_};
    return add(std::move(node));
  }
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (frame.node.style == Node::Style::flow) cursor_ = closing_bracket(frame.node.is_mapping() ? '}' : ']');
  frame.node.span.end = std::max(cursor_, frame.node.span.begin);
  if (frame.is_key) {
    open_.back().has_key = true;
    open_.back().keep = false;
    return;
  }
  add(std::move(frame.node));
}

}  // namespace failover::source

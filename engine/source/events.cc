#include "engine/source/events.h"

#include <yaml.h>

#include <algorithm>
#include <new>

namespace failover::source {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

Node::Style style_of(yaml_scalar_style_t style) {
  switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE: return Node::Style::single_quoted;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return Node::Style::double_quoted;
    case YAML_LITERAL_SCALAR_STYLE: return Node::Style::literal;
    case YAML_FOLDED_SCALAR_STYLE: return Node::Style::folded;
    default: return Node::Style::plain;
  }
}

}  // namespace

struct Events::Parser {
  yaml_parser_t parser{};
  yaml_event_t event{};
  bool has_event = false;

  Parser() {
    if (yaml_parser_initialize(&parser) == 0) throw std::bad_alloc();
  }
  ~Parser() {
    forget();
    yaml_parser_delete(&parser);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  void forget() {
    if (has_event) yaml_event_delete(&event);
    has_event = false;
  }
};

Events::Events(std::string_view text, std::size_t origin)
    : text_(text),
      origin_(origin),
      parser_(std::make_unique<Parser>()),
      ascii_(std::all_of(text.begin() + static_cast<std::ptrdiff_t>(origin), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x80; })),
      known_offset_(origin) {
  const std::string_view rest = text.substr(origin);
  yaml_parser_set_encoding(&parser_->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&parser_->parser, reinterpret_cast<const unsigned char*>(rest.data()), rest.size());
}

Events::~Events() = default;

std::size_t Events::offset(std::size_t characters) const {
  if (ascii_) return std::min(origin_ + characters, text_.size());
  for (; known_characters_ < characters && known_offset_ < text_.size(); ++known_characters_) {
    ++known_offset_;
    while (known_offset_ < text_.size() && continues(text_[known_offset_])) ++known_offset_;
  }
  for (; known_characters_ > characters; --known_characters_) {
    --known_offset_;
    while (known_offset_ > origin_ && continues(text_[known_offset_])) --known_offset_;
  }
  return known_offset_;
}

bool Events::next(Event& event) {
  Parser& reader = *parser_;
  for (;;) {
    reader.forget();
    if (yaml_parser_parse(&reader.parser, &reader.event) == 0) {
      if (reader.parser.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
      return false;
    }
    reader.has_event = true;
    const yaml_event_t& read = reader.event;
    event = {};
    switch (read.type) {
      case YAML_DOCUMENT_START_EVENT: event.kind = Event::Kind::document; break;
      case YAML_ALIAS_EVENT: event.kind = Event::Kind::alias; break;
      case YAML_SCALAR_EVENT:
        event.kind = Event::Kind::scalar;
        event.style = style_of(read.data.scalar.style);
        event.tagged = read.data.scalar.tag != nullptr;
        event.anchored = read.data.scalar.anchor != nullptr;
        event.text = {reinterpret_cast<const char*>(read.data.scalar.value), read.data.scalar.length};
        break;
      case YAML_SEQUENCE_START_EVENT:
        event.kind = Event::Kind::sequence;
        event.tagged = read.data.sequence_start.tag != nullptr;
        event.anchored = read.data.sequence_start.anchor != nullptr;
        break;
      case YAML_MAPPING_START_EVENT:
        event.kind = Event::Kind::mapping;
        event.tagged = read.data.mapping_start.tag != nullptr;
        event.anchored = read.data.mapping_start.anchor != nullptr;
        break;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: event.kind = Event::Kind::close; break;
      case YAML_STREAM_END_EVENT: event.kind = Event::Kind::end; break;
      default: continue;  // the stream's start, a document's end
    }
    event.span.begin = offset(read.start_mark.index);
    event.span.end = offset(read.end_mark.index);
    if (event.style == Node::Style::single_quoted || event.style == Node::Style::double_quoted) quoted_ = event.span;
    return true;
  }
}

Problem Events::problem() const {
  const yaml_parser_t& parser = parser_->parser;
  Problem out;
  out.what = parser.problem == nullptr ? "" : parser.problem;
  if (parser.error == YAML_READER_ERROR) {
    out.at = std::min(origin_ + parser.problem_offset, text_.size());
  } else {
    out.at = offset(parser.problem_mark.index);
  }
  out.context_at = out.at;
  if (parser.context != nullptr && parser.error != YAML_READER_ERROR) {
    out.context = parser.context;
    out.context_at = offset(parser.context_mark.index);
  }
  const bool next_to_it =
      quoted_.end <= out.at && text_.substr(quoted_.end, out.at - quoted_.end).find_first_not_of(" \t") == text_.npos;
  if (next_to_it) out.quoted = quoted_;
  return out;
}

}  // namespace failover::source

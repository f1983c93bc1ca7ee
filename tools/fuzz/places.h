// What every finding must be: inside its file, and printable in every format.
#pragma once

#include <string>

#include "engine/source/diagnostic.h"
#include "tools/fuzz/property.h"

namespace failover::fuzz {

inline void inside(source::Span span, const source::File& file, std::string_view what) {
  hold(span.begin <= span.end && span.end <= file.text().size(), what);
}

// Every finding has a place, a code and one line of words; every format can be written.
inline void hold_findings(const source::Diagnostics& diagnostics) {
  for (const auto& one : diagnostics.sorted()) {
    hold(one.file != nullptr, "a finding has a file");
    inside(one.span, *one.file, "a finding stands in its file");
    hold(!one.code.empty() && !one.message.empty(), "a finding has a code and words");
    hold(one.message.find('\n') == std::string::npos, "a finding's words are one line");
  }
  const std::string text = source::to_text(diagnostics);
  for (const char c : text) {
    hold(static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t',
         "no control character of a file reaches a terminal");
  }
  hold(source::to_json(diagnostics).ends_with("\n"), "the JSON ends in a newline");
  hold(!source::to_github(diagnostics).empty() || diagnostics.empty(), "every finding has its workflow command");
  hold(!source::to_sarif(diagnostics, "0").empty(), "there is SARIF");
}

}  // namespace failover::fuzz

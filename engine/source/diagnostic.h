// A mistake in a file: where, what and what to do. All of a file's findings are collected, then printed at once.
#pragma once

#include <string>
#include <vector>

#include "engine/source/code.h"
#include "engine/source/file.h"

namespace failover::source {

enum class Severity { error, warning };

struct Diagnostic {
  FilePtr file;
  Span span;  // an empty span is drawn as one caret
  Severity severity = Severity::error;
  Code code;            // `unknown-output`; rules.h says what it means
  std::string message;  // one line, lower case, no full stop
  std::string hint{};   // one line, printed after the carets; may be empty
};

// The findings of any number of files. Not thread-safe: one per thread, then append(). Beyond kMost they are counted
// only: a file with so many is not what its author meant it to be.
class Diagnostics {
 public:
  static constexpr std::size_t kMost = 10'000;
  void error(const FilePtr& file, Span span, Code code, std::string message, std::string hint = {});
  void warning(const FilePtr& file, Span span, Code code, std::string message, std::string hint = {});
  void add(Diagnostic one);
  void append(const Diagnostics& other);

  // By file name, then place; equal findings at one place once.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;
  [[nodiscard]] std::size_t errors() const;
  [[nodiscard]] std::size_t warnings() const;
  [[nodiscard]] bool empty() const { return found_.empty(); }
  // Those that are counted only.
  [[nodiscard]] std::size_t more() const { return more_errors_ + more_warnings_; }

 private:
  std::vector<Diagnostic> found_;
  std::size_t more_errors_ = 0;
  std::size_t more_warnings_ = 0;
};

// `file:line:column: error: message [code]`, the source line, carets under the span, the hint (design: "Diagnostics").
// Control characters of the file come out escaped. Spans over several lines are drawn to the end of the first.
std::string to_text(const Diagnostic& diagnostic);
std::string to_text(const Diagnostics& diagnostics);
// `{"diagnostics": [{file, line, column, end_line, end_column, severity, code, message, hint}]}` and a newline; the end
// is the place after the last character.
std::string to_json(const Diagnostics& diagnostics);
// One `::error file=...` workflow command a finding, as GitHub Actions reads them.
std::string to_github(const Diagnostics& diagnostics);
// SARIF 2.1.0 (OASIS), as code scanners read it; columns count code points.
std::string to_sarif(const Diagnostics& diagnostics, const std::string& version);

}  // namespace failover::source

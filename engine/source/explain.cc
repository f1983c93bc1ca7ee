// Rules as pages: for a terminal, as Markdown, as JSON.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "engine/source/rules.h"

namespace failover::source {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kColumns = 78;

const char* word(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

// Lines of at most kColumns bytes, without a line break at the end.
std::string wrapped(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (const auto& one : base::split(text, ' ')) {
    if (column > 0 && column + 1 + one.size() > kColumns) {
      out += '\n';
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out += one;
    column += one.size();
  }
  return out;
}

// Bytes that a terminal or a reader of UTF-8 would choke on as escapes.
std::string readable(std::string_view line) {
  std::string out;
  while (const auto bad = base::invalid_utf8(line)) {
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(line[*bad]));
    out += std::string(line.substr(0, *bad)) + escape;
    line.remove_prefix(*bad + 1);
  }
  return base::printable(out + std::string(line), 4'000);
}

// Every line after `margin`.
std::string indented(std::string_view text, const std::string& margin) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += margin + readable(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string example_to_text(const std::string& title, const Example& example) {
  std::string out = title + "\n\n" + indented(example.scenario, "    ");
  if (!example.fragment.empty()) out += "\n  with fragment.yaml beside it\n\n" + indented(example.fragment, "    ");
  return out;
}

std::string block(const char* language, std::string_view text) {
  return std::string("```") + language + "\n" + indented(text, "") + "```\n";
}

std::string example_to_markdown(const std::string& title, const Example& example) {
  std::string out = title + "\n\n" + block("yaml", example.scenario);
  if (!example.fragment.empty()) out += "\nwith `fragment.yaml` beside it:\n\n" + block("yaml", example.fragment);
  return out;
}

Json files(const Example& example) {
  Json out{{"example.yaml", example.scenario}};
  if (!example.fragment.empty()) out["fragment.yaml"] = example.fragment;
  return out;
}

Json to_value(const Rule& rule, const Said& said) {
  return {{"code", rule.code.name()}, {"severity", word(rule.severity)}, {"title", rule.title},
          {"why", rule.why},          {"bad", files(rule.bad)},          {"said", said},
          {"good", files(rule.good)}};
}

std::string dumped(const Json& value) { return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

std::string advice_to_text(const Rule& rule) {
  return wrapped(rule.why) + "\n\n" + example_to_text("Wrong", rule.bad) + "\n" + example_to_text("Right", rule.good);
}

std::string advice_to_markdown(const Rule& rule) {
  return std::string(rule.why) + "\n\n" + example_to_markdown("Wrong:", rule.bad) + "\n" +
         example_to_markdown("Right:", rule.good);
}

std::string rule_to_text(const Rule& rule, const Said& said) {
  return std::string(rule.code.name()) + "  (" + word(rule.severity) + ")\n" + wrapped(rule.title) + "\n\n" +
         wrapped(rule.why) + "\n\n" + example_to_text("Wrong", rule.bad) + "\nwhich gives\n\n" +
         indented(said, "    ") + "\n" + example_to_text("Right", rule.good);
}

std::string rules_to_text(std::span<const Rule> all) {
  std::size_t width = 0;
  for (const auto& rule : all) width = std::max(width, rule.code.name().size());
  std::string out;
  for (const auto& rule : all) {
    const std::string name(rule.code.name());
    const std::string severity = word(rule.severity);
    out += name + std::string(width - name.size() + 2, ' ') + severity + std::string(9 - severity.size(), ' ') +
           std::string(rule.title) + "\n";
  }
  return out;
}

std::string rule_to_markdown(const Rule& rule, const Said& said, int level) {
  return std::string(static_cast<std::size_t>(level), '#') + " " + std::string(rule.code.name()) + "\n\n" +
         (rule.severity == Severity::warning ? "*Warning.* " : "") + std::string(rule.title) + "\n\n" +
         std::string(rule.why) + "\n\n" + example_to_markdown("Wrong:", rule.bad) + "\nIt gives:\n\n" +
         block("text", said) + "\n" + example_to_markdown("Right:", rule.good);
}

std::string rules_to_markdown(std::span<const Rule> all, const std::vector<Said>& said) {
  std::string out =
      "# What validation can find\n\n"
      "Written by `failover explain --format markdown`; a test compares the two and validates every example.\n"
      "`failover explain CODE` shows one of these pages in the terminal.\n\n"
      "| code | severity | what it says |\n| --- | --- | --- |\n";
  for (const auto& rule : all) {
    const std::string name(rule.code.name());
    out += "| [" + name + "](#" + name + ") | " + word(rule.severity) + " | " + std::string(rule.title) + " |\n";
  }
  for (std::size_t i = 0; i < all.size(); ++i) out += "\n" + rule_to_markdown(all[i], said[i], 2);
  return out;
}

std::string rule_to_json(const Rule& rule, const Said& said) { return dumped(to_value(rule, said)); }

std::string rules_to_json(std::span<const Rule> all, const std::vector<Said>& said) {
  Json out = Json::array();
  for (std::size_t i = 0; i < all.size(); ++i) out.push_back(to_value(all[i], said[i]));
  return dumped(out);
}

}  // namespace failover::source

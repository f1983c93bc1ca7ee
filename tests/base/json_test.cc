// Our reading and writing of JSON against nlohmann's: the same texts, the same values, the same refusals.
#include "engine/base/json.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/base/json_read.h"
#include "engine/base/json_tree.h"

using namespace failover::base;  // NOLINT(google-build-using-namespace)
using nlohmann::json;

namespace {

std::string written(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

// The tree's node as nlohmann has it.
json of(const JsonNode& node) {
  if (node.is_object() || node.is_array()) {
    json out = node.is_object() ? json::object() : json::array();
    for (const JsonNode& inside : node) {
      if (node.is_array()) out.push_back(of(inside));
    }
    return out;
  }
  if (node.is_boolean()) return node.get<bool>();
  if (node.is_number_unsigned()) return node.get<std::uint64_t>();
  if (node.is_number_integer()) return node.get<std::int64_t>();
  if (node.is_number_float()) return node.get<double>();
  if (node.is_string()) return node.get<std::string>();
  return nullptr;
}

// Does the tree say what nlohmann says, every member by its name?
void same(const json& expected, const JsonNode& node) {
  if (!expected.is_object()) {
    if (!expected.is_array()) CHECK(of(node) == expected);
    REQUIRE(node.is_array() == expected.is_array());
    if (!expected.is_array()) return;
    REQUIRE(node.size() == expected.size());
    std::size_t at = 0;
    for (const JsonNode& inside : node) same(expected[at++], inside);
    return;
  }
  REQUIRE(node.is_object());
  CHECK(node.empty() == expected.empty());
  for (const auto& [name, value] : expected.items()) same(value, node[name]);
  CHECK(node["no such member"].is_discarded());
  CHECK(node.find("no such member") == node.end());
}

// One text through both readers.
void judge(const std::string& text) {
  CAPTURE(text.substr(0, 200));
  const json expected = json::parse(text, nullptr, false);
  const auto value = parse_json(text);
  const auto tree = JsonTree::read(text);
  REQUIRE(value.has_value() == !expected.is_discarded());
  REQUIRE(tree->root().is_discarded() == expected.is_discarded());
  if (!value) return;
  CHECK(*value == from_json(expected));
  CHECK(written(*value) == dump(expected));
  same(expected, tree->root());
}

Value some(std::mt19937& random, int depth) {
  const auto roll = [&](unsigned sides) { return random() % sides; };
  switch (roll(depth > 0 ? 14 : 12)) {
    case 0: return {};
    case 1: return roll(2) == 0;
    case 2: return static_cast<std::int64_t>((std::uint64_t{random()} << 32U) | random());
    case 3: return (std::uint64_t{random()} << 32U) | random();
    case 4: return std::ldexp(static_cast<double>(random()) - 2e9, static_cast<int>(roll(1200)) - 600);
    case 5: return static_cast<double>(roll(2'000'000)) / 1e6;
    case 6: return Money{static_cast<std::int64_t>(roll(2'000'000))};
    case 7: return Size{static_cast<std::int64_t>(random())};
    case 8: return Duration(random());
    case 9: return Bytes{std::string(roll(9), 'b')};
    case 10: return WallTime(std::chrono::seconds(random()));
    case 11: {
      std::string text;
      for (auto n = roll(12); n > 0; --n) text += static_cast<char>(roll(3) == 0 ? roll(256) : ' ' + roll(95));
      return text;
    }
    case 12: {
      Value::List list;
      for (auto n = roll(4); n > 0; --n) list.push_back(some(random, depth - 1));
      return list;
    }
    default: {
      Value::Map map;
      for (auto n = roll(5); n > 0; --n) map.emplace("m" + std::to_string(roll(50)), some(random, depth - 1));
      return map;
    }
  }
}

}  // namespace

TEST_CASE("what is written is what the tree of nodes would print") {
  for (const double number : {0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e-4, 1e-5, 123456.789, 1e300, 5e-324,
                              std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    CHECK(written(number) == dump(to_json(number)));
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  for (const std::string& text : {all, std::string("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), std::string("\xC3"),
                                  std::string("a\xE2\x82"), std::string("\xED\xA0\x80"), std::string("\"\\\b\x7f")})
    CHECK(written(text) == dump(to_json(text)));
  std::mt19937 random(7);
  for (int i = 0; i < 4000; ++i) {
    const Value value = some(random, 4);
    CHECK(written(value) == dump(to_json(value)));
    CHECK(plain(value) == from_json(to_json(value)));
  }
}

TEST_CASE("what is read is what nlohmann reads, and nothing else is") {
  for (const char* text : {"",
                           " ",
                           "null",
                           "nul",
                           "true ",
                           "truefalse",
                           "[]",
                           "[ ]",
                           "[,]",
                           "[1,]",
                           "[1 2]",
                           "[1,2]",
                           "{}",
                           "{ }",
                           "{,}",
                           R"({"a":1})",
                           R"({"a":1,})",
                           R"({"a"})",
                           R"({"a":})",
                           R"({a:1})",
                           R"({"a":1 "b":2})",
                           R"({"a":1,"a":2})",
                           R"([{"a":[{}]},[[]]])",
                           "[",
                           "{",
                           "]",
                           "}",
                           "[}",
                           "{]",
                           "[1",
                           R"({"a":1)",
                           "1 1",
                           "-",
                           "-1",
                           "-0",
                           "01",
                           "1.",
                           ".5",
                           "1.5",
                           "1e5",
                           "1E+5",
                           "1e-5",
                           "1e",
                           "1e+",
                           "1e400",
                           "-1e400",
                           "1e-400",
                           "9223372036854775807",
                           "9223372036854775808",
                           "-9223372036854775808",
                           "-9223372036854775809",
                           "18446744073709551615",
                           "18446744073709551616",
                           "123456789012345678901234567890",
                           "0x1",
                           "+1",
                           "NaN",
                           "\"",
                           "\"a",
                           R"("a\n\t\"\\\/\b\f\r")",
                           R"("\u0041\u00e9\u20ac\ud83d\ude00")",
                           R"("\ud83d")",
                           R"("\ude00")",
                           R"("\ud83dx")",
                           R"("\ud83d\u0041")",
                           R"("\u12")",
                           R"("\u12g4")",
                           R"("\x")",
                           R"("\)",
                           "\"\t\"",
                           "\"\xC3\xA9\"",
                           "\"\xC3\"",
                           "\"\xC0\x80\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\xEF\xBB\xBF[1]",
                           "\xEF\xBB[1]",
                           "// x\n1",
                           "[1]//",
                           "\x0b[1]",
                           R"({"instances":[{"id":1,"label":null,"ports":{"22/tcp":[{"HostPort":"1"}]}}],"n":-2.50})"})
    judge(text);
  // What was well-formed, changed in one place.
  std::mt19937 random(11);
  constexpr std::string_view kBytes = "{}[]\",:\\u0eE+-.19tnf \n\x01\x80\xC3";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = written(some(random, 3));
    for (auto n = random() % 3; n > 0 && !text.empty(); --n) {
      const std::size_t at = random() % text.size();
      const char byte = kBytes[random() % kBytes.size()];
      if (random() % 3 == 0) {
        text.erase(at, 1);
      } else if (random() % 2 == 0) {
        text[at] = byte;
      } else {
        text.insert(at, 1, byte);
      }
    }
    judge(text);
  }
}

TEST_CASE("a text of megabytes is read like a short one") {
  std::string text = R"([{"id":7,"label":"\u00e9","price":0.25},)";
  text.append(std::size_t{3} << 20U, ' ');
  judge(text + "18446744073709551616]");
  judge(text + R"({"id":8}])");
  judge(text + "]");
}

TEST_CASE("a text that only opens ends at the deepest level") {
  CHECK_FALSE(parse_json(std::string(1'000'000, '[')));
  CHECK_FALSE(parse_json(std::string(kDeepestJson + 1, '[') + std::string(kDeepestJson + 1, ']')));
  CHECK(parse_json(std::string(kDeepestJson, '[') + std::string(kDeepestJson, ']')));
  CHECK(JsonTree::read(std::string(1'000'000, '['))->root().is_discarded());
}

TEST_CASE("a node of nothing has nothing") {
  const JsonNode none;
  CHECK(none.is_discarded());
  CHECK(none["a"].is_discarded());
  CHECK(none.begin() == none.end());
  CHECK(none.front().is_discarded());
  const auto tree = JsonTree::read(R"(["text",7,-7,2.5,true])");
  const JsonNode root = tree->root();
  CHECK(root["a"].is_discarded());
  CHECK(root.front().get<std::int64_t>() == 0);
  CHECK(root.front().get<double>() == 0);
  CHECK(root.front().get<std::string_view>() == "text");
  CHECK(root.front().begin() == root.front().end());
}

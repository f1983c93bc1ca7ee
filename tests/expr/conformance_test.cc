// CEL's documented behaviour, row by row, in the order of its language definition: literals, operators, errors. Written
// from the definition and the behaviour that its conformance suite fixes; README.md of engine/expr says where we
// differ.
#include <doctest/doctest.h>

#include "tests/expr/rows.h"

using failover::tests::check_rows;
using failover::tests::value_of;

TEST_CASE("int literals") {
  check_rows({{"0", "0"},
              {"17", "17"},
              {"-1", "-1"},
              {"007", "7"},
              {"0x1F", "31"},
              {"0XaB", "171"},
              {"-0x10", "-16"},
              {"9223372036854775807", "9223372036854775807"},
              {"-9223372036854775808", "-9223372036854775808"},
              {"-0x8000000000000000", "-9223372036854775808"},
              {"0x7FFFFFFFFFFFFFFF", "9223372036854775807"},
              {"9223372036854775808", "problem expression-syntax"},
              {"-9223372036854775809", "problem expression-syntax"},
              {"- 5", "-5"},
              {"0x", "problem expression-syntax"},
              {"0xG", "problem expression-syntax"},
              {"12ab", "problem expression-syntax"},
              {"1_000", "problem expression-syntax"}},
             value_of);
}

TEST_CASE("uint literals") {
  check_rows({{"0u", "0u"},
              {"123456789u", "123456789u"},
              {"1U", "1u"},
              {"0xFFu", "255u"},
              {"18446744073709551615u", "18446744073709551615u"},
              {"0xFFFFFFFFFFFFFFFFu", "18446744073709551615u"},
              {"18446744073709551616u", "problem expression-syntax"},
              {"18446744073709551615", "problem expression-syntax"},
              {"-1u", "error no_such_overload"}},
             value_of);
}

TEST_CASE("double literals") {
  check_rows({{"0.0", "0.0"},
              {"1.5", "1.5"},
              {".5", "0.5"},
              {"-.99", "-0.99"},
              {"0e+0", "0.0"},
              {"1e3", "1000.0"},
              {"1E3", "1000.0"},
              {"1.5e2", "150.0"},
              {"-2.3e+1", "-23.0"},
              {"9.9e-1", "0.99"},
              {"6.02214e23", "6.02214e+23"},
              {"-0.0", "-0.0"},
              {"1e-324", "0.0"},
              {"0.000e999", "0.0"},
              {"4.9406564584124654e-324", "4.94065645841247e-324"},
              {"1.7976931348623157e308", "1.7976931348623157e+308"},
              {"1e309", "problem expression-syntax"},
              {"1e99999999999999999999", "problem expression-syntax"},
              {"1e-99999999999999999999", "0.0"},
              {"1.", "problem expression-syntax"},
              {"1.e3", "error no_such_overload"},  // a field of the number 1
              {"1e", "problem expression-syntax"},
              {"1e+", "problem expression-syntax"},
              {"1.5u", "problem expression-syntax"}},
             value_of);
}

TEST_CASE("string literals") {
  check_rows({{"''", R"("")"},
              {R"("")", R"("")"},
              {"'hello'", R"("hello")"},
              {R"("hello")", R"("hello")"},
              {R"('""')", R"("\"\"")"},
              {R"("'")", R"("'")"},
              {"'''hello'''", R"("hello")"},
              {R"("""hello""")", R"("hello")"},
              {"''''''", R"("")"},
              {"'''x''x'''", R"("x''x")"},
              {R"("""a"b""c""")", R"("a\"b\"\"c")"},
              {"''' \n '''", R"(" \n ")"},
              {"''' \r\n '''", R"(" \r\n ")"},
              {"'a\nb'", "problem expression-syntax"},
              {"'a\rb'", "problem expression-syntax"},
              {"'a", "problem expression-syntax"},
              {"'''a''", "problem expression-syntax"},
              {"'a\"", "problem expression-syntax"},
              {"'\t'", R"("\t")"},
              {"'// no comment'", R"("// no comment")"}},
             value_of);
}

TEST_CASE("escapes in strings") {
  check_rows({{R"(" \\ \? \" \' \` ")", R"x(" \\ ? \" ' ` ")x"},
              {R"(' \\ \? \" \' \` ')", R"x(" \\ ? \" ' ` ")x"},
              {R"('\a\b\f\n\r\t\v')", R"("\u0007\b\f\n\r\t\u000b")"},
              {R"('\x41\X4a\x7F')", "\"AJ\x7F\""},
              {R"('\xFF')", "\"\xC3\xBF\""},
              {R"('\101\060')", R"("A0")"},
              {R"('\377')", "\"\xC3\xBF\""},
              {R"('\303\277')", "\"\xC3\x83\xC2\xBF\""},
              {R"('\u00e9\u01aB')", "\"\xC3\xA9\xC6\xAB\""},
              {R"('\U0001F62C\U00088888')", "\"\xF0\x9F\x98\xAC\xF2\x88\xA2\x88\""},
              {R"('\uD83D\uDE2C')", "\"\xF0\x9F\x98\xAC\""},
              {R"('\000')", R"("\u0000")"},
              {R"('''\x41\n''')", R"("A\n")"},
              {R"('\uD83D')", "problem expression-syntax"},
              {R"('\uDE2C')", "problem expression-syntax"},
              {R"('\uD83D\u0041')", "problem expression-syntax"},
              {R"('\U00110000')", "problem expression-syntax"},
              {R"('\U0000D800')", "problem expression-syntax"},
              {R"('\q')", "problem expression-syntax"},
              {R"('\400')", "problem expression-syntax"},
              {R"('\08')", "problem expression-syntax"},
              {R"('\1')", "problem expression-syntax"},
              {R"('\x4')", "problem expression-syntax"},
              {R"('\u41')", "problem expression-syntax"},
              {R"('\U0041')", "problem expression-syntax"},
              {"'\\", "problem expression-syntax"}},
             value_of);
}

TEST_CASE("raw strings") {
  check_rows({{R"(r'\n')", R"("\\n")"},
              {R"(R"\\")", R"("\\\\")"},
              {R"(r"\")", R"("\\")"},
              {R"(r'''\x41
')",
               "problem expression-syntax"},
              {"r'''\\x41\n'''", R"("\\x41\n")"},
              {R"(R'''a'\'b''')", R"("a'\\'b")"},
              {R"(r" \\ \? \` \a \u0000 ")", R"x(" \\\\ \\? \\` \\a \\u0000 ")x"},
              {R"(r '')", "problem expression-syntax"}},
             value_of);
}

TEST_CASE("bytes literals") {
  check_rows({{"b''", R"(b"")"},
              {R"(b"abc")", R"(b"abc")"},
              {"B'''a'b'''", R"(b"a'b")"},
              {"b'\xC3\xBF'", R"(b"\xc3\xbf")"},
              {R"(b'\303\277')", R"(b"\xc3\xbf")"},
              {R"(b'\377')", R"(b"\xff")"},
              {R"(b'\xFF\x00')", R"(b"\xff\x00")"},
              {R"(b'\a\\\'')", R"(b"\x07\'")"},
              {R"(br'\xFF')", R"(b"\xFF")"},
              {R"(Br"\n")", R"(b"\n")"},
              {R"(bR'''\n''')", R"(b"\n")"},
              {R"(rb'a')", "problem expression-syntax"},
              {R"(b'\u00FF')", "problem expression-syntax"},
              {R"(b'\U000000FF')", "problem expression-syntax"}},
             value_of);
}

TEST_CASE("booleans, null, lists, maps") {
  check_rows({{"true", "true"},
              {"false", "false"},
              {"null", "null"},
              {"[]", "[]"},
              {"[-1]", "[-1]"},
              {"[1, 2,]", "[1, 2]"},
              {"[,]", "problem expression-syntax"},
              {"[1, 'a', null, [2.0]]", "[1, \"a\", null, [2.0]]"},
              {"{}", "{}"},
              {"{'k': 'v'}", "{k: \"v\"}"},
              {"{'b': 1, 'a': 2,}", "{a: 2, b: 1}"},
              {"{'a' + 'b': 1}", "{ab: 1}"},
              {"{'a': 1, 'a': 2}", "error repeated_key"},
              {"{'a': 1, dyn('a'): 2}", "error repeated_key"},
              {"{'a'}", "problem expression-syntax"},
              {"{'a': 1 'b': 2}", "problem expression-syntax"},
              {"{dyn(1): 2}", "error no_such_overload"}},
             value_of);
}

TEST_CASE("comments, blanks, reserved words") {
  check_rows({{"1 // one\n + 2", "3"},
              {"1 // one\r + 2", "3"},
              {"1 // to the end", "1"},
              {"// nothing", "problem expression-syntax"},
              {"\t1\f+\r\n2 ", "3"},
              {"", "problem expression-syntax"},
              {"1 2", "problem expression-syntax"},
              {"as", "problem expression-syntax"},
              {"break", "problem expression-syntax"},
              {"const", "problem expression-syntax"},
              {"continue", "problem expression-syntax"},
              {"else", "problem expression-syntax"},
              {"for", "problem expression-syntax"},
              {"function", "problem expression-syntax"},
              {"if", "problem expression-syntax"},
              {"import", "problem expression-syntax"},
              {"let", "problem expression-syntax"},
              {"loop", "problem expression-syntax"},
              {"namespace", "problem expression-syntax"},
              {"package", "problem expression-syntax"},
              {"return", "problem expression-syntax"},
              {"var", "problem expression-syntax"},
              {"void", "problem expression-syntax"},
              {"while", "problem expression-syntax"},
              {"in", "problem expression-syntax"},
              {"{'for': 1}.for", "1"},
              {"{'true': 1}.true", "problem expression-syntax"},
              {"{'in': 1}.in", "problem expression-syntax"},
              {"{'in': 1}['in']", "1"},
              {"1 = 1", "problem expression-syntax"},
              {"1 & 1", "problem expression-syntax"},
              {"1 | 1", "problem expression-syntax"},
              {"$1", "problem expression-syntax"},
              {"1 ? 2", "problem expression-syntax"},
              {"(1", "problem expression-syntax"},
              {"f(1,)", "problem expression-syntax"},
              {"\xFF", "problem expression-syntax"},
              {"'\xC3'", "problem expression-syntax"},
              {std::string("1\0", 2), "problem expression-syntax"}},
             value_of);
}

TEST_CASE("precedence and associativity") {
  check_rows({{"1 + 2 * 3", "7"},
              {"(1 + 2) * 3", "9"},
              {"1 - 2 - 3", "-4"},
              {"24 / 4 / 2", "3"},
              {"24 / 4 * 2", "12"},
              {"7 % 4 * 2", "6"},
              {"1 + 2 == 3", "true"},
              {"1 < 2 == true", "true"},
              {"1 == 1 == true", "true"},
              {"!true || true && false", "false"},
              {"true || false && false", "true"},
              {"1 in [1] && true", "true"},
              {"2 in [1] == false", "true"},
              {"1 + 1 in [2]", "true"},
              {"1 > 2 ? 'a' : 2 > 1 ? 'b' : 'c'", "\"b\""},
              {"true ? false ? 1 : 2 : 3", "problem expression-syntax"},
              {"true ? (false ? 1 : 2) : 3", "2"},
              {"true || false ? 1 : 2", "1"},
              {"-1 + 2", "1"},
              {"-[1][0]", "-1"},
              {"!{'a': true}.a", "false"},
              {"!!true", "true"},
              {"--5", "5"},
              {"---5", "-5"},
              {"- -5", "5"},
              {"!-1", "problem expression-syntax"},
              {"-!true", "problem expression-syntax"},
              {"2 - -2", "4"},
              {"2--2", "4"}},
             value_of);
}

TEST_CASE("what every implementation must take") {
  const auto repeated = [](const std::string& first, const std::string& more, int times) {
    std::string out = first;
    for (int i = 0; i < times; ++i) out += more;
    return out;
  };
  std::string list = "[0";
  std::string map = "{'k0': 0";
  for (int i = 1; i < 32; ++i) {
    list += ", " + std::to_string(i);
    map += ", 'k" + std::to_string(i) + "': " + std::to_string(i);
  }
  check_rows({{std::string(32, '(') + "7" + std::string(32, ')'), "7"},
              {std::string(32, '[') + "0" + std::string(32, ']') + ".size()", "1"},
              {repeated("", "{'a':", 32) + "1" + std::string(32, '}') + repeated("", ".a", 32), "1"},
              {std::string(32, '[') + "'x'" + std::string(32, ']') + repeated("", "[0]", 32), "\"x\""},
              {repeated("false", " || false", 31) + " || true", "true"},
              {repeated("true", " && true", 31) + " && false", "false"},
              {repeated("3", " - 3 + 3", 16), "3"},
              {repeated("4", " * 4 / 4", 16), "4"},
              {repeated("", "true ? true : ", 32) + "false", "true"},
              {repeated("true", " == true", 32), "true"},
              {std::string(32, '!') + "true", "true"},
              {std::string(32, '-') + "19", "19"},
              {repeated("", "int(uint(", 16) + "7" + std::string(32, ')'), "7"},
              {list + "][17]", "17"},
              {map + "}['k17']", "17"}},
             value_of);
}

TEST_CASE("int arithmetic") {
  check_rows({{"42 + 2", "44"},
              {"42 + (-2)", "40"},
              {"-42 - (-2)", "-40"},
              {"42 * (-2)", "-84"},
              {"-42 * (-2)", "84"},
              {"15 * 0", "0"},
              {"7 / 2", "3"},
              {"-7 / 2", "-3"},
              {"7 / -2", "-3"},
              {"-42 / (-2)", "21"},
              {"42 % 5", "2"},
              {"42 % (-5)", "2"},
              {"-42 % 5", "-2"},
              {"-42 % (-5)", "-2"},
              {"-(42)", "-42"},
              {"-(-42)", "42"},
              {"-(0)", "0"},
              {"15 / 0", "error division_by_zero"},
              {"42 % 0", "error division_by_zero"},
              {"9223372036854775807 + 1", "error overflow"},
              {"-9223372036854775808 + -1", "error overflow"},
              {"-9223372036854775808 - 1", "error overflow"},
              {"9223372036854775807 - -1", "error overflow"},
              {"9223372036854775807 * 2", "error overflow"},
              {"-9223372036854775808 * -1", "error overflow"},
              {"-9223372036854775808 / -1", "error overflow"},
              {"-9223372036854775808 % -1", "error overflow"},
              {"-(-9223372036854775808)", "error overflow"},
              {"5000000000 * 5000000000", "error overflow"}},
             value_of);
}

TEST_CASE("uint arithmetic") {
  check_rows({{"42u + 2u", "44u"},
              {"42u - 2u", "40u"},
              {"42u * 2u", "84u"},
              {"42u / 5u", "8u"},
              {"42u % 5u", "2u"},
              {"15u / 0u", "error division_by_zero"},
              {"42u % 0u", "error division_by_zero"},
              {"-(5u)", "error no_such_overload"},
              {"0u - 1u", "error overflow"},
              {"18446744073709551615u + 1u", "error overflow"},
              {"5000000000u * 5000000000u", "error overflow"}},
             value_of);
}

TEST_CASE("double arithmetic") {
  check_rows({{"4.25 + 15.25", "19.5"},
              {"42.0 - 12.0", "30.0"},
              {"42.5 * 0.2", "8.5"},
              {"-8.875 / (-0.0625)", "142.0"},
              {"-(4.5)", "-4.5"},
              {"-(-1.25)", "1.25"},
              {"15.75 / 0.0", "Infinity"},
              {"-15.75 / 0.0", "-Infinity"},
              {"0.0 / 0.0", "NaN"},
              {"2.0 * 8.98846e+307", "1.797692e+308"},
              {"-2.0 * 8.988466e+307", "-Infinity"},
              {"4.0 * 8.988466e+307", "Infinity"},
              {"1e-324 / 2.0", "0.0"},
              {"47.5 % 5.5", "error no_such_overload"}},
             value_of);
}

TEST_CASE("there are no conversions between numbers by themselves") {
  check_rows({{"1 + 1u", "error no_such_overload"},
              {"1 + 1.0", "error no_such_overload"},
              {"1u * 1.0", "error no_such_overload"},
              {"uint(1) + 1u", "2u"},
              {"double(1) + 1.5", "2.5"},
              {"1 + true", "error no_such_overload"},
              {"'a' + 1", "error no_such_overload"},
              {"null + null", "error no_such_overload"},
              {"'a' - 'a'", "error no_such_overload"},
              {"'a' * 3", "error no_such_overload"},
              {"[1] - [1]", "error no_such_overload"},
              {"{} + {}", "error no_such_overload"}},
             value_of);
}

TEST_CASE("concatenation") {
  check_rows({{"'he' + 'llo'", "\"hello\""},
              {"'' + 'abc' + ''", "\"abc\""},
              {"'\xC2\xA2' + '\xC8\x80'", "\"\xC2\xA2\xC8\x80\""},
              {"b'a' + b'b'", R"(b"ab")"},
              {"[0, 1] + [2]", "[0, 1, 2]"},
              {"[] + []", "[]"},
              {"[0, 1, 2] + [3] == [3] + [0, 1, 2]", "false"},
              {"[1] + ['a']", "[1, \"a\"]"},
              {"'a' + b'a'", "error no_such_overload"},
              {"[1] + 1", "error no_such_overload"}},
             value_of);
}

TEST_CASE("equality") {
  check_rows({{"1 == 1", "true"},
              {"-1 == 1", "false"},
              {"2u == 2u", "true"},
              {"1.0 == 1.0e+0", "true"},
              {"0.0 == -0.0", "true"},
              {"'' == \"\"", "true"},
              {"'abc' == r'abc'", "true"},
              {"'abc' == 'ABC'", "false"},
              {R"('\u00e9' == 'e\u0301')", "false"},  // no normalisation
              {"null == null", "true"},
              {"null != null", "false"},
              {"true == true", "true"},
              {"b'\xC3\xBF' == b'\\303\\277'", "true"},
              {"b'abc' == b'abcd'", "false"},
              {"[] == []", "true"},
              {"[1, 2, 3] == [1, 2, 3]", "true"},
              {"[1, 2, 3] == [1, 3, 2]", "false"},
              {"[[]] != [[]]", "false"},
              {"[] != [1]", "true"},
              {"{} == {}", "true"},
              {"{'k': 'v'} == {\"k\": \"v\"}", "true"},
              {"{'k': 1.0} == {'k': 1e+0}", "true"},
              {"{'k': 'v'} == {'k': 'w'}", "false"},
              {"{'k': 'v', 'l': 'w'} == {'k': 'v'}", "false"},
              {"{'k': 1, 'l': 2} == {'l': 2, 'k': 1}", "true"},
              {"{'key': 'v'} == {'Key': 'v'}", "false"},
              {"24 != 42", "true"},
              {"'a' != 'a'", "false"},
              {"0.0 / 0.0 == 0.0 / 0.0", "false"},
              {"0.0 / 0.0 != 0.0 / 0.0", "true"},
              {"[0.0 / 0.0] == [0.0 / 0.0]", "false"}},
             value_of);
}

TEST_CASE("equality across kinds: numbers by value, everything else is not equal") {
  check_rows({{"1 == 1.0", "true"},
              {"1 == 1u", "true"},
              {"1u == 1.0", "true"},
              {"-1 == 18446744073709551615u", "false"},
              {"1 == 1.5", "false"},
              {"dyn(1) == 'a'", "false"},
              {"dyn(1) != 'a'", "true"},
              {"dyn(1) == true", "false"},
              {"dyn('a') == b'a'", "false"},
              {"dyn([]) == {}", "false"},
              {"null == dyn(0)", "false"},
              {"null == 'a'", "false"},
              {"[1] == [1.0]", "true"},
              {"[1, dyn('a')] == [1.0, 'a']", "true"},
              {"{'a': 1} == {'a': 1u}", "true"},
              {"dyn(duration('1s')) == 1", "false"},
              {"9223372036854775807 == 9223372036854775808.0", "true"},  // the nearest double
              {"dyn('1') == 1", "false"}},
             value_of);
}

TEST_CASE("order") {
  check_rows({{"-1 < 0", "true"},
              {"0 < 0", "false"},
              {"0 <= 0", "true"},
              {"2u > 1u", "true"},
              {"1.0 < 1.0000001", "true"},
              {"-0.0 < 0.0", "false"},
              {".99 >= 9.9e-1", "true"},
              {"0.0 / 0.0 < 1.0", "false"},
              {"0.0 / 0.0 >= 1.0", "false"},
              {"'a' < 'b'", "true"},
              {"'Abc' < 'aBC'", "true"},
              {"'abc' < 'abcd'", "true"},
              {"'a' < '\xC3\xA1'", "true"},
              {"'\xEF\xBF\xBD' < '\xF0\x9F\x98\xAC'", "true"},  // by code point, not by UTF-16 unit
              {"'' < ''", "false"},
              {"'A' > ''", "true"},
              {"b'a' < b'b'", "true"},
              {"b'\\x01' > b'\\x00\\xff'", "true"},
              {"b'\xC3\xA1' < b'b'", "false"},
              {"false < true", "true"},
              {"true <= false", "false"},
              {"[0] < [1]", "error no_such_overload"},
              {"{} < {}", "error no_such_overload"},
              {"null < null", "error no_such_overload"},
              {"1 < 'a'", "error no_such_overload"}},
             value_of);
}

TEST_CASE("order across kinds of numbers") {
  check_rows({{"1 < 1.5", "true"},
              {"1u < 2", "true"},
              {"-1 < 0u", "true"},
              {"18446744073709551615u > 9223372036854775807", "true"},
              {"2.5 > 2u", "true"},
              {"1 >= 1.0", "true"},
              {"9223372036854775807 < 9223372036854775808.0", "false"}},
             value_of);
}

TEST_CASE("in") {
  check_rows({{"2 in [1, 2]", "true"},
              {"3 in [1, 2]", "false"},
              {"1 in []", "false"},
              {"1.0 in [1, 2]", "true"},
              {"'a' in ['b', 'a']", "true"},
              {"[1] in [[1], [2]]", "true"},
              {"dyn('1') in [1]", "false"},
              {"'a' in {'a': 1}", "true"},
              {"'b' in {'a': 1}", "false"},
              {"dyn(1) in {'a': 1}", "false"},
              {"!('b' in {'a': 1})", "true"},
              {"0.0 / 0.0 in [0.0 / 0.0]", "false"},
              {"1 in 1", "error no_such_overload"},
              {"'a' in 'abc'", "error no_such_overload"}},
             value_of);
}

TEST_CASE("fields and indices") {
  check_rows({{"{'a': 1}.a", "1"},
              {"{'a': 1}['a']", "1"},
              {"{'a': 1}.b", "error no_such_key"},
              {"{'a': 1}['b']", "error no_such_key"},
              {"{'a-b': 1}.`a-b`", "1"},
              {"{'a.b/c d': 1}.`a.b/c d`", "1"},
              {"{'a': 1}.``", "problem expression-syntax"},
              {"`a`", "problem expression-syntax"},
              {"{'a': null}.a", "null"},
              {"{'a': {'b': [5]}}.a.b[0]", "5"},
              {"outputs.files[1].path", "\"b\""},
              {"outputs['files'][1]['path']", "\"b\""},
              {"outputs.labels.`odd-key`", "\"x\""},
              {"[7, 8, 9][0]", "7"},
              {"[7, 8, 9][2]", "9"},
              {"[7, 8, 9][dyn(1u)]", "8"},
              {"[7, 8, 9][dyn(1.0)]", "8"},
              {"[7, 8, 9][dyn(0.5)]", "error index_out_of_range"},
              {"[7, 8, 9][3]", "error index_out_of_range"},
              {"[7, 8, 9][-1]", "error index_out_of_range"},
              {"[][0]", "error index_out_of_range"},
              {"[7]['0']", "error no_such_overload"},
              {"{'a': 1}[0]", "error no_such_overload"},
              {"'abc'[0]", "error no_such_overload"},
              {"[1].a", "error no_such_overload"},
              {"1 .a", "error no_such_overload"},
              {"null.a", "error no_such_overload"},
              {"whatever.x", "1"},
              {"whatever.z", "error no_such_key"},
              {"nothing", "error no_such_key"},
              {"nothing.at.all", "error no_such_key"}},
             value_of);
}

TEST_CASE("logical operators take errors on either side") {
  check_rows({{"true && true", "true"},
              {"true && false", "false"},
              {"false || true", "true"},
              {"false || false", "false"},
              {"!true", "false"},
              {"false && 1 / 0 > 0", "false"},
              {"1 / 0 > 0 && false", "false"},
              {"true || 1 / 0 > 0", "true"},
              {"1 / 0 > 0 || true", "true"},
              {"true && 1 / 0 > 0", "error division_by_zero"},
              {"1 / 0 > 0 && true", "error division_by_zero"},
              {"false || 1 / 0 > 0", "error division_by_zero"},
              {"1 / 0 > 0 || false", "error division_by_zero"},
              {"1 / 0 > 0 && [][0]", "error division_by_zero"},
              {"false && 32", "false"},
              {"'horses' && false", "false"},
              {"true || 32", "true"},
              {"'horses' || true", "true"},
              {"'less' && 'great'", "error no_such_overload"},
              {"'less' || 'great'", "error no_such_overload"},
              {"true && 1", "error no_such_overload"},
              {"!1", "error no_such_overload"},
              {"!null", "error no_such_overload"},
              {"false && nothing", "false"},
              {"nothing || true", "true"},
              {"(1 / 0 > 0 && true) && false", "false"},
              {"!(1 / 0 > 0) || true", "true"}},
             value_of);
}

TEST_CASE("the conditional evaluates one branch") {
  check_rows({{"true ? 1 : 2", "1"},
              {"false ? 'foo' : 'bar'", "\"bar\""},
              {"true ? 1 : 1 / 0", "1"},
              {"false ? 1 / 0 : 1", "1"},
              {"true ? 1 / 0 : 1", "error division_by_zero"},
              {"1 / 0 > 4 ? 'a' : 'b'", "error division_by_zero"},
              {"'cows' ? 1 : 2", "error no_such_overload"},
              {"dyn(true) ? 'cows' : dyn(17)", "\"cows\""},
              {"null == null ? 1 : 2", "1"}},
             value_of);
}

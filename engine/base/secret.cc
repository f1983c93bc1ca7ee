#include "engine/base/secret.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace failover::base {
namespace {

constexpr std::size_t kShortest = 6;
constexpr std::size_t kUsualPiece = 8;
constexpr std::size_t kLeastPiece = 4;
constexpr std::size_t kLongestPiece = 16;  // lines of coded bytes are longer
constexpr std::string_view kMask = "***";
constexpr std::string_view kCut = "...";

// Long enough not to be met by chance, short enough that no secret of 8 characters passes in two pieces.
std::size_t piece_of(std::size_t whole) {
  return std::max(kLeastPiece, std::min(std::clamp(whole / 8, kUsualPiece, kLongestPiece), whole / 2));
}

std::size_t pair_at(std::string_view text) {
  return static_cast<std::size_t>(static_cast<unsigned char>(text[0])) << 8U | static_cast<unsigned char>(text[1]);
}

std::size_t four_at(std::string_view text) {
  std::uint32_t four = 0;
  for (std::size_t i = 0; i < 4; ++i) four = four << 8U | static_cast<unsigned char>(text[i]);
  return four * 2654435761U >> 16U;
}

// Characters of a line's end that stand at the beginning of `text`, as it is or as printable() writes it, or of the
// word for what was cut out there (printable(), tail()): a secret may end at it, or go on behind it.
std::size_t break_at(std::string_view text) {
  if (text.substr(0, kCut.size()) == kCut) return kCut.size();
  if (text.substr(0, 2) == "\\n" || text.substr(0, 2) == "\r\n") return 2;
  return !text.empty() && (text[0] == '\n' || text[0] == '\r') ? 1 : 0;
}

std::size_t line_length(std::string_view text) {
  // Each search within what the one before has left: a text without "\r" is not read to its end for every line.
  text = text.substr(0, text.find('\n'));
  text = text.substr(0, text.find('\r'));
  text = text.substr(0, text.find(kCut));
  return std::min(text.find("\\n"), text.size());
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

// What stands between the quotes of a JSON string.
std::string json_inside(const std::string& raw, bool ascii) {
  const std::string quoted = nlohmann::json(raw).dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
  return quoted.substr(1, quoted.size() - 2);
}

// Of hex digits.
std::string upper_hex(std::string text) {
  for (char& c : text) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// `%2F` as `%2f`; the letters between stay.
std::string lower_escapes(std::string text) {
  for (std::size_t at = text.find('%'); at != std::string::npos; at = text.find('%', at + 3)) {
    for (std::size_t i = at + 1; i < at + 3; ++i) {
      if (text[i] >= 'A') text[i] = static_cast<char>(text[i] - 'A' + 'a');
    }
  }
  return text;
}

// As browsers' encodeURIComponent writes it.
std::string as_component(std::string percent) {
  for (const auto& [code, character] : {std::pair("%21", "!"), std::pair("%27", "'"), std::pair("%28", "("),
                                        std::pair("%29", ")"), std::pair("%2A", "*")}) {
    percent = replaced(std::move(percent), code, character);
  }
  return percent;
}

// The characters that base64 makes of `raw` behind `before` other bytes, whatever those and the ones after it are.
std::string base64_core(const std::string& raw, std::size_t before) {
  const std::string whole = base64(std::string(before, '\0') + raw);
  // Characters that hold bits of a neighbour: of 8 bits before, the first two; of 16, the first three.
  const std::size_t first = before == 0 ? 0 : before + 1;
  const std::size_t full = (before + raw.size()) * 8 / 6;
  return whole.substr(first, full - first);
}

std::string url_safe(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::vector<std::string> plain_forms(const std::string& raw) {
  std::vector<std::string> out{raw, json_inside(raw, false), json_inside(raw, true)};
  out.push_back(replaced(out[1], "/", "\\/"));
  out.push_back(replaced(raw, "'", "'\\''"));
  out.push_back(printable(raw, std::string::npos));
  // A key in several lines is printed by the line.
  if (contains(raw, "\n")) {
    for (const auto& line : split(raw, '\n')) {
      if (line.size() >= kUsualPiece && line.compare(0, 5, "-----") != 0) out.emplace_back(trim(line));
    }
  }
  return out;
}

std::vector<std::string> coded_forms(const std::string& raw) {
  std::vector<std::string> out;
  for (const bool keep_slash : {false, true}) {
    const std::string percent = percent_encode(raw, keep_slash);
    for (const auto& form : {percent, replaced(percent, "%20", "+"), as_component(percent)}) {
      out.push_back(form);
      out.push_back(lower_escapes(form));
    }
  }
  out.push_back(base64(raw));  // with its padding
  for (std::size_t before = 0; before < 3; ++before) out.push_back(base64_core(raw, before));
  for (std::size_t i = out.size() - 4, end = out.size(); i < end; ++i) out.push_back(url_safe(out[i]));
  out.push_back(hex(raw));
  out.push_back(upper_hex(hex(raw)));
  return out;
}

// --- what bears the mark of a secret ---

bool is_hex(char c) { return std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos; }
bool is_token(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("-._~+/=").find(c) != std::string_view::npos;
}

struct Mark {
  std::string_view before;
  bool (*of)(char);
  std::size_t least;  // characters; fewer are no secret
};

constexpr std::array<Mark, 8> kMarks{{{"X-Amz-Signature=", is_hex, 1},
                                      {"X-Amz-Signature%3D", is_hex, 1},
                                      {"X-Amz-Signature%3d", is_hex, 1},
                                      {"X-Amz-Signature\\u003d", is_hex, 1},
                                      {", Signature=", is_hex, 1},
                                      {"<SignatureProvided>", is_hex, 1},
                                      {"CONTAINER_API_KEY=", is_token, 1},
                                      {"Bearer ", is_token, 16}}};

std::string masked(std::string text, const Mark& mark) {
  for (std::size_t at = text.find(mark.before); at != std::string::npos; at = text.find(mark.before, at)) {
    at += mark.before.size();
    std::size_t end = at;
    while (end < text.size() && mark.of(text[end])) ++end;
    if (end - at >= mark.least) text.replace(at, end - at, kMask);
  }
  return text;
}

constexpr std::string_view kKeyBegins = " PRIVATE KEY-----";

// From its first line to its last, or to the text's end.
std::string without_private_keys(std::string text) {
  constexpr std::string_view kEnd = "-----END ";
  for (std::size_t at = text.find(kKeyBegins); at != std::string::npos; at = text.find(kKeyBegins, at)) {
    at += kKeyBegins.size();
    const std::size_t end = std::min(text.find(kEnd, at), text.size());
    text.replace(at, end - at, kMask);
    at = std::min(text.find('\n', at), text.size());  // behind its end, which has the same words
  }
  return text;
}

// Two letters of each mark, and of a private key's first line: texts without any are told by one pass over them.
constexpr std::array<std::string_view, 3> kInMarks{"Si", "KE", "Be"};

consteval bool pairs_tell_all() {
  bool all = true;
  for (std::size_t i = 0; i <= kMarks.size(); ++i) {
    const std::string_view text = i < kMarks.size() ? kMarks[i].before : kKeyBegins;
    bool any = false;
    for (const std::string_view pair : kInMarks) any = any || text.find(pair) != std::string_view::npos;
    all = all && any;
  }
  return all;
}
static_assert(pairs_tell_all());

bool may_have_mark(std::string_view text) {
  unsigned any = 0;  // without a way out, so that compilers take many characters at a time
  for (std::size_t i = 1; i < text.size(); ++i) {
    for (const std::string_view pair : kInMarks) {
      any |= static_cast<unsigned>(text[i - 1] == pair[0]) & static_cast<unsigned>(text[i] == pair[1]);
    }
  }
  return any != 0;
}

}  // namespace

Redactor::Redactor() {
  for (const std::string_view pair : kInMarks) suspect_.set(pair_at(pair));
  for (const char end : {'\n', '\r', '\\'}) {
    for (std::size_t next = 0; next < 256; ++next) suspect_.set(static_cast<std::size_t>(end) << 8U | next);
  }
  suspect_.set(pair_at(kCut));
}

void Redactor::put(std::string text) {
  if (text.size() < kShortest) return;
  const auto at = std::lower_bound(needles_.begin(), needles_.end(), text);
  if (at != needles_.end() && *at == text) return;
  begins_.set(pair_at(text));
  suspect_.set(pair_at(text));
  for (std::size_t i = 0; i + 4 <= text.size(); ++i) contains_.set(four_at(std::string_view(text).substr(i)));
  needles_.insert(at, std::move(text));
}

void Redactor::add(const Secret& secret) {
  const std::string& raw = secret.reveal();
  if (raw.size() < kShortest) return;
  const std::lock_guard lock(mutex_);
  for (auto& form : plain_forms(raw)) put(std::move(form));
  for (auto& form : coded_forms(raw)) put(std::move(form));
}

void Redactor::leave(std::string word) {
  const std::lock_guard lock(mutex_);
  if (!word.empty()) left_.push_back(std::move(word));
}

// How much of a line's beginning is the end or the middle of a secret.
std::size_t Redactor::begun_before(std::string_view line) const {
  if (line.size() < kLeastPiece || !contains_[four_at(line)]) return 0;
  std::size_t longest = 0;
  for (const std::string_view whole : needles_) {
    const std::size_t piece = piece_of(whole.size());
    if (piece > line.size()) continue;
    const std::string_view sought = line.substr(0, piece);
    for (std::size_t at = whole.find(sought); at != std::string_view::npos; at = whole.find(sought, at + 1)) {
      const std::size_t length = std::min(whole.size() - at, line.size());
      if (line.substr(0, length) == whole.substr(at, length)) longest = std::max(longest, length);
    }
  }
  const bool ours = std::any_of(left_.begin(), left_.end(), [&](const std::string& word) {
    return word.size() >= longest && line.substr(0, longest) == word.substr(0, longest);
  });
  return ours ? 0 : longest;
}

// How much of the text from here on is a secret, or the beginning of one that the line's end cuts off.
std::size_t Redactor::found_at(std::string_view rest, std::string_view line) const {
  std::size_t longest = 0;
  const std::string_view first = rest.substr(0, 2);
  for (auto at = std::lower_bound(needles_.begin(), needles_.end(), first);
       at != needles_.end() && at->compare(0, 2, first) == 0; ++at) {
    const std::string_view whole = *at;
    if (rest.substr(0, whole.size()) == whole) {
      longest = std::max(longest, whole.size());
    } else if (line.size() >= piece_of(whole.size()) && whole.substr(0, line.size()) == line) {
      longest = std::max(longest, line.size());
    }
  }
  return longest;
}

// Calls `hit` with the place and the length of each that is known, in order, until it says no.
template <class Hit>
void Redactor::each(std::string_view text, const Hit& hit) const {
  std::size_t end = 0;  // of the line
  for (std::size_t at = 0; at < text.size();) {
    const bool begins = at == 0 || at == end;
    if (begins) {
      at += break_at(text.substr(at));
      end = at + line_length(text.substr(at));
    }
    std::size_t length = begins ? begun_before(text.substr(at, end - at)) : 0;
    if (at + 2 <= text.size() && begins_[pair_at(text.substr(at))]) {
      length = std::max(length, found_at(text.substr(at), text.substr(at, end - at)));
    }
    if (length == 0) {
      // The beginning of the next line is looked at as one.
      if (at < end) ++at;
      while (at < end && !(at + 2 <= text.size() && begins_[pair_at(text.substr(at))])) ++at;
      continue;
    }
    if (!hit(at, length)) return;
    at += length;
    if (at > end) end = at + line_length(text.substr(at));  // a secret of several lines
  }
}

// Told by one pass: nothing known begins in it, nor a mark, nor a second line or a cut, and its beginning is no piece.
// Of 4 characters at least.
bool Redactor::is_above_suspicion(std::string_view text) const {
  if (contains_[four_at(text)]) return false;
  std::size_t pair = static_cast<unsigned char>(text[0]);
  for (const char c : text.substr(1)) {
    pair = (pair << 8U | static_cast<unsigned char>(c)) & 0xFFFFU;
    if (suspect_[pair]) return false;
  }
  return true;
}

bool Redactor::touches(std::string_view text) const {
  if (text.size() < kLeastPiece) return false;
  {
    const std::lock_guard lock(mutex_);
    if (is_above_suspicion(text)) return false;
  }
  if (may_have_mark(text)) {
    if (text.find(kKeyBegins) != std::string_view::npos) return true;
    for (const auto& mark : kMarks) {
      if (text.find(mark.before) != std::string_view::npos) return true;
    }
  }
  bool any = false;
  const std::lock_guard lock(mutex_);
  each(text, [&](std::size_t, std::size_t) {
    any = true;
    return false;
  });
  return any;
}

std::string Redactor::known(std::string_view text) const {
  std::string out;
  std::size_t kept = 0;  // up to here everything is in `out`
  const std::lock_guard lock(mutex_);
  each(text, [&](std::size_t at, std::size_t length) {
    out += text.substr(kept, at - kept);
    out += kMask;
    kept = at + length;
    return true;
  });
  out += text.substr(kept);
  return out;
}

std::string Redactor::operator()(std::string_view text) const {
  std::string out = known(text);
  for (const auto& mark : kMarks) out = masked(std::move(out), mark);
  return without_private_keys(std::move(out));
}

}  // namespace failover::base

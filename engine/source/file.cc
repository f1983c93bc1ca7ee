#include "engine/source/file.h"

#include <algorithm>
#include <utility>

#include "engine/base/text.h"

namespace failover::source {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kBlock = 256;  // bytes

}  // namespace

File::File(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  starts_.push_back(text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1)) {
    if (at + 1 < text_.size()) starts_.push_back(at + 1);
  }
  const auto wide = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::none_of(text_.begin(), text_.end(), wide)) return;
  const std::string_view all = text_;
  std::size_t count = 0;
  for (std::size_t at = 0; at <= all.size(); at += kBlock) {
    counted_.push_back(count);
    count += base::utf8_length(all.substr(at, kBlock));
  }
}

// Of the text before `offset`.
std::size_t File::characters(std::size_t offset) const {
  if (counted_.empty()) return offset;
  const std::size_t block = offset / kBlock;
  return counted_[block] + base::utf8_length(std::string_view(text_).substr(block * kBlock, offset % kBlock));
}

Place File::place(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto after = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const auto index = static_cast<std::size_t>(after - starts_.begin());
  if (index == 0) return {};
  return {index, characters(offset) - characters(starts_[index - 1]) + 1};
}

std::string_view File::slice(Span span) const {
  const std::size_t begin = std::min(span.begin, text_.size());
  const std::size_t end = std::clamp(span.end, begin, text_.size());
  return std::string_view(text_).substr(begin, end - begin);
}

std::string_view File::line(std::size_t number) const {
  if (number == 0 || number > starts_.size()) return {};
  const std::size_t start = starts_[number - 1];
  std::size_t end = number < starts_.size() ? starts_[number] - 1 : text_.size();
  if (end > start && end == text_.size() && text_[end - 1] == '\n') --end;
  if (end > start && text_[end - 1] == '\r') --end;
  return std::string_view(text_).substr(start, end - start);
}

std::size_t File::line_start(std::size_t number) const {
  return number == 0 || number > starts_.size() ? text_.size() : starts_[number - 1];
}

}  // namespace failover::source

#include "tools/simulate/disk.h"

#include <algorithm>
#include <cerrno>

#include "engine/base/file.h"

namespace failover::simulate {

void Disk::begin(const Blow& blow, int breaks) {
  blow_ = blow;
  breaks_ = breaks;
  records_ = 0;
  dead_ = false;
  intents_.insert(unsynced_.begin(), unsynced_.end());
  unsynced_.clear();
  synced_ = bytes_.size();
}

void Disk::cut(std::size_t whole) {
  bytes_.resize(whole);
  synced_ = whole;
  forget_lost();
}

void Disk::forget_lost() {
  while (!written_.empty() && written_.back().end > bytes_.size()) written_.pop_back();
}

// Two that are not are for the reader to judge.
bool Disk::in_order() const {
  std::uint64_t seq = 0;
  return std::all_of(written_.begin(), written_.end(), [&](const Written& one) { return one.event.seq == ++seq; });
}

base::Result<event::Records> Disk::read() const {
  if (by_text_ || !in_order()) return read_text();
  event::Records out;
  out.events.reserve(written_.size());
  for (const Written& one : written_) out.events.push_back(one.event);
  out.whole = written_.empty() ? 0 : written_.back().end;
  out.torn = out.whole < bytes_.size();
  return out;
}

base::Result<event::Records> Disk::read_text() const {
  auto out = event::parse_records(bytes_, "journal");
  if (!out) return out;
  const bool same = std::equal(out->events.begin(), out->events.end(), written_.begin(), written_.end(),
                               [](const event::Event& read, const Written& one) {
                                 return read.seq == one.event.seq && read.at == one.event.at &&
                                        read.since_start == one.event.since_start && read.type == one.event.type &&
                                        read.data == one.event.data;
                               });
  if (!same && in_order()) return base::Error{base::Fault::corrupt, "damaged_record", "it says what was not written"};
  return out;
}

void Disk::die() {
  dead_ = true;
  if (on_death) on_death();
  if (blow_.power) {
    bytes_.resize(std::min(synced_, bytes_.size()));
    unsynced_.clear();
    forget_lost();
  }
  if (!quiet_) throw Dead{};
}

std::string Disk::announced(const std::string& name) const {
  const auto at = std::find_if(written_.rbegin(), written_.rend(), [&](const Written& one) {
    return one.event.type == event::type::intent && one.event.text("name") == name;
  });
  return at == written_.rend() ? std::string() : at->event.text("request_sha256");
}

base::Result<void> Disk::append(const event::Event& event, bool durable) {
  if (dead_) return {};
  ++records_;
  if (broken()) {
    if (records_ == breaks_ && on_break) on_break();
    return base::system_error(EIO, "write", "journal.jsonl");
  }
  write(event, durable);
  return {};
}

void Disk::write(const event::Event& event, bool durable) {
  const bool last = blow_.death != Death::none && !blow_.call && records_ == blow_.at;
  if (last && blow_.death == Death::before) return die();
  const std::string line = event::to_line(event) + "\n";
  if (last && blow_.death == Death::torn) {
    bytes_ += line.substr(0, 1 + line.size() / 2);
    // Part of a record may be on the disk although nobody asked for it.
    synced_ = bytes_.size();
    return die();
  }
  bytes_ += line;
  written_.push_back({event, bytes_.size()});
  if (last && blow_.death == Death::lost) return die();
  if (event.type == event::type::intent) unsynced_.push_back(event.text("name"));
  if (durable) {
    synced_ = bytes_.size();
    intents_.insert(unsynced_.begin(), unsynced_.end());
    unsynced_.clear();
  }
  if (last) die();
}

}  // namespace failover::simulate

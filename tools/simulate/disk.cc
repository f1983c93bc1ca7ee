#include "tools/simulate/disk.h"

#include <algorithm>

namespace failover::simulate {

void Disk::begin(const Blow& blow) {
  blow_ = blow;
  records_ = 0;
  dead_ = false;
  intents_.insert(unsynced_.begin(), unsynced_.end());
  unsynced_.clear();
  synced_ = bytes_.size();
}

void Disk::cut(std::size_t whole) {
  bytes_.resize(whole);
  synced_ = whole;
}

void Disk::die() {
  dead_ = true;
  if (blow_.power) {
    bytes_.resize(std::min(synced_, bytes_.size()));
    unsynced_.clear();
  }
  throw Dead{};
}

base::Result<void> Disk::append(const event::Event& event, bool durable) {
  if (dead_) return {};
  ++records_;
  const bool last = blow_.death != Death::none && !blow_.call && records_ == blow_.at;
  if (last && blow_.death == Death::before) die();
  const std::string line = event::to_line(event) + "\n";
  if (last && blow_.death == Death::torn) {
    bytes_ += line.substr(0, 1 + line.size() / 2);
    // Part of a record may be on the disk although nobody asked for it.
    synced_ = bytes_.size();
    die();
  }
  bytes_ += line;
  if (last && blow_.death == Death::lost) die();
  if (event.type == event::type::intent) unsynced_.push_back(event.text("name"));
  if (durable) {
    synced_ = bytes_.size();
    intents_.insert(unsynced_.begin(), unsynced_.end());
    unsynced_.clear();
  }
  if (last) die();
  return {};
}

}  // namespace failover::simulate

// What a run shows while it goes on. Each console writes to a sink and knows nothing of terminals or files.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event/event.h"
#include "engine/report/report.h"

namespace failover::report {

using Sink = std::function<void(std::string_view)>;

// One line an event, time first: for logs.
class PlainConsole final : public event::Subscriber {
 public:
  explicit PlainConsole(Sink sink) : sink_(std::move(sink)) {}
  void on(const event::Event& event) override;

 private:
  Sink sink_;
};

// The journal's records as they happen.
class JsonConsole final : public event::Subscriber {
 public:
  explicit JsonConsole(Sink sink) : sink_(std::move(sink)) {}
  void on(const event::Event& event) override;

 private:
  Sink sink_;
};

// For a terminal: one line a step that fills in place, the running one last. Thread-safe.
class PrettyConsole final : public event::Subscriber {
 public:
  struct Options {
    int width = 80;
    bool color = false;
    bool unicode = false;
  };
  PrettyConsole(Options options, Sink sink) : options_(options), sink_(std::move(sink)) {}
  void on(const event::Event& event) override;
  // Redraws the running step; to be called a few times a second.
  void tick(base::WallTime now);

 private:
  void draw_running(base::WallTime now);
  void print(const std::string& line);
  [[nodiscard]] std::string mark(const std::string& status) const;
  [[nodiscard]] std::string paint(const std::string& text, const char* code) const;

  std::mutex mutex_;
  Options options_;
  Sink sink_;
  Folder folded_;
  std::string phase_;
  std::string running_;  // the step's id; empty: none, or the cleanup
  std::string waiting_;
  base::WallTime began_{};
  base::Duration limit_{0};
  bool drawn_ = false;
};

// One line about an event, without its time; empty for those that say nothing to people.
std::string headline(const event::Event& event);

}  // namespace failover::report

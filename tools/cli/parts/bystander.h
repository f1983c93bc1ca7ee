// A host for calls that make nothing: the doctor's questions, a look over an account.
#pragma once

#include "engine/plugin/context.h"

namespace failover::cli {

class Bystander final : public plugin::Host {
 public:
  explicit Bystander(const std::string& who) : info_{who, who, "live"} {}
  void exchange(const plugin::Exchange&) override {}
  void progress(const std::string&) override {}
  base::Result<std::string> intend(const plugin::Intent&) override {
    return base::Error{base::Fault::refused, "bystander", "nothing is made here"};
  }
  void made(const std::string&, const plugin::Made&) override {}
  void refused(const std::string&, const base::Error&) override {}
  void unsent(const std::string&, const base::Error&) override {}
  void unclear(const std::string&, const base::Error&) override {}
  base::Result<void> sending(const std::string&) override { return {}; }
  void unanswered(const std::string&) override {}
  void ended(const std::string&, const std::string&) override {}
  std::optional<plugin::Held> held(const std::string&, const std::string&) override { return std::nullopt; }
  [[nodiscard]] const plugin::RunInfo& run() const override { return info_; }

 private:
  plugin::RunInfo info_;
};

}  // namespace failover::cli

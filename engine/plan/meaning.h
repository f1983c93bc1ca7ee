// Which rentals and prices the values of one file's steps stand for, before the run: the scenario's, or those of one
// use of a fragment.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/plan/plan.h"

namespace failover::plan {

struct Quote {
  base::Money ceiling;  // per hour
  std::string model;
};

// One reference and nothing else, `steps.one.id` or `steps.all[0].id`: it names one thing for sure.
bool names_one(const scenario::Given& given);

class Meaning {
 public:
  // What `steps.ID` gives identifies this rental; of the rounds of a `foreach` each adds its own.
  void made(const std::string& id, std::size_t rental) { rentals_["steps." + id].push_back(rental); }
  void quoted(const std::string& id, Quote quote) { quotes_.insert_or_assign("steps." + id, std::move(quote)); }
  // A step that was about a thing gives what names it: `steps.ready.instance`.
  void about(const Step& step);
  // What `each` stands for in a round of a `foreach`, and after the last one.
  void enter_round(const scenario::Given& element);
  void leave_round(const Meaning& around);
  // What a fragment's inputs stand for, where it is used.
  [[nodiscard]] Meaning inside(const Step& composite) const;
  // What `inner` says of its outputs is what this file sees of them.
  void outputs_of(const Step& composite, const Meaning& inner);

  // In the order in which they were made; empty: none that is known.
  [[nodiscard]] std::vector<std::size_t> rentals(const scenario::Given& given) const;
  [[nodiscard]] std::optional<Quote> quote(const scenario::Given& given) const;

 private:
  void pass(const std::string& name, const scenario::Given& given, const Meaning& from);

  // By `steps.ID`, `inputs.NAME`, and of a fragment's outputs `steps.ID.OUTPUT`.
  std::map<std::string, std::vector<std::size_t>> rentals_;
  std::map<std::string, Quote> quotes_;
};

}  // namespace failover::plan

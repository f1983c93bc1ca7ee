#include <algorithm>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using plugin::Context;
using namespace std::chrono_literals;

struct In {
  std::string gpu_name = "RTX 4090";
  base::Money max_price{500'000};
  std::int64_t gpu_count = 1;
  base::Size disk{20'000'000'000};
  double min_reliability = 0.9;
};

struct Found {
  std::int64_t id = 0;
  std::string gpu_name;
  base::Money price_per_hour{};
  std::int64_t machine_id = 0;
  std::int64_t host_id = 0;
  std::int64_t gpu_count = 1;
  double reliability = 0;
  std::string location;
  static auto members() {
    return std::tuple{plugin::member("id", &Found::id, kAnOffer),
                      plugin::member("gpu_name", &Found::gpu_name),
                      plugin::member("price_per_hour", &Found::price_per_hour),
                      plugin::member("machine_id", &Found::machine_id, kAMachine),
                      plugin::member("host_id", &Found::host_id, kAHost),
                      plugin::member("gpu_count", &Found::gpu_count),
                      plugin::member("reliability", &Found::reliability),
                      plugin::member("location", &Found::location)};
  }
};

struct Out {
  Found best;
  std::vector<Found> offers;
  std::int64_t count = 0;
};

Found found(const client::Offer& offer) {
  return {offer.id,      offer.gpu_name,  offer.price_per_hour, offer.machine_id,
          offer.host_id, offer.gpu_count, offer.reliability,    offer.location};
}

Result<void> check_model(const std::string& name) {
  if (name.find_first_of("\r\n") != std::string::npos || (!name.empty() && base::trim(name) != name))
    return Error{Fault::invalid, "bad_model",
                 "'" + base::printable(name, 60) + "' has blanks or a line break at an end",
                 "write it in one line: YAML's `|` and `>` leave a line break at the end, `>-` does not"};
  if (!name.empty()) return {};
  return Error{Fault::invalid, "bad_model", "it names no GPU", "as in RTX 4090"};
}

// `RTX4090`, `rtx_4090`, `NVIDIA GeForce RTX 4090` are what Vast.ai writes as RTX 4090 (vastai-api.md 3). What is
// written otherwise stays as it is.
std::string as_vast_writes(const std::string& name) {
  std::string spaced = name;
  std::replace(spaced.begin(), spaced.end(), '_', ' ');
  std::vector<std::string> words;
  for (auto& word : base::split(spaced, ' ')) {
    std::string upper = word;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    const bool digits = word.find_first_of("0123456789") != std::string::npos;
    const bool family = upper.starts_with("RTX") || upper.starts_with("GTX");
    if (word.empty() || (words.empty() && (upper == "NVIDIA" || upper == "GEFORCE"))) continue;
    // `a100` is one, `InstinctMI50` a name of theirs.
    const bool small = std::none_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    const bool begins_so = std::isdigit(static_cast<unsigned char>(word.front())) != 0;
    if (family || (digits && small && !begins_so)) word = upper;
    if (family && word.size() > 3 && std::isdigit(static_cast<unsigned char>(word[3])) != 0) word.insert(3, " ");
    words.push_back(std::move(word));
  }
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

Result<void> doubt_model(const std::string& name) {
  const std::string written = as_vast_writes(name);
  if (written == name || written.empty()) return {};
  return Error{Fault::invalid, "doubtful_model", "Vast.ai writes models with spaces, as in RTX 4090",
               "write " + written};
}

Result<void> check_price(const base::Money& price) {
  if (price.micros > 0) return {};
  return Error{Fault::invalid, "bad_price", "nothing is rented for " + base::format(price) + " an hour", "as in $0.50"};
}

Result<void> check_reliability(const double& share) {
  if (share >= 0 && share <= 1) return {};
  return Error{Fault::invalid, "bad_reliability", "a reliability is a share from 0 to 1", "as in 0.9"};
}

// Says what there is instead: both questions are free.
Error nothing(client::Vast& vast, const client::OfferQuery& query, const Context& context) {
  const std::string wanted = (query.gpu_count > 1 ? std::to_string(query.gpu_count) + " x " : "") + query.gpu_name;
  Error error{
      Fault::no_offer, "no_offer",
      "no offer for '" + base::printable(wanted, 80) + "' under " + base::format(*query.max_price) + "/h on Vast.ai",
      "raise max_price, or take another gpu_name"};
  client::OfferQuery dearer = query;
  dearer.max_price.reset();
  auto others = vast.search(dearer, context);
  if (!others) return error;
  if (!others->empty()) {
    const std::string price = base::format(others->front().price_per_hour);
    error.message += "; the cheapest above it is " + price + "/h";
    error.hint = "raise max_price to " + price + ", or take another gpu_name";
    return error;
  }
  auto names = vast.gpu_names(context);
  if (!names) return error;
  const bool known = std::find(names->begin(), names->end(), query.gpu_name) != names->end();
  if (known) {
    error.message += ", nor at any price";
    error.hint =
        "try later, take another gpu_name, ask for less disk or reliability, or shorten limits.duration: an offer must "
        "last as long";
  } else if (auto near = base::nearest(query.gpu_name, *names)) {
    error.hint = "Vast.ai knows no '" + base::printable(query.gpu_name, 60) + "': did you mean '" + *near + "'?";
  }
  return error;
}

}  // namespace

plugin::StepType search_offers(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.search_offers",
      .summary = "Search the market for rentable machines, cheapest first.",
      .inputs = {plugin::optional("gpu_name", &In::gpu_name, "Model as Vast.ai spells it, with spaces.", check_model)
                     .doubted(doubt_model),
                 plugin::optional("max_price", &In::max_price, "Highest price per hour, disk included.", check_price),
                 plugin::optional("gpu_count", &In::gpu_count, "GPUs of the machine.").at_least(1),
                 plugin::optional("disk", &In::disk, "Disk that it must have and that the price includes."),
                 plugin::optional("min_reliability", &In::min_reliability, "0 to 1, as Vast.ai rates the host.",
                                  check_reliability)},
      .outputs = {plugin::output("best", &Out::best, "The cheapest."),
                  plugin::output("offers", &Out::offers, "All that match, cheapest first, at most 64.")
                      .at_least(1)
                      .at_most(64),
                  plugin::output("count", &Out::count, "How many those are.").at_least(1).at_most(64)},
      .errors = {Fault::no_offer, Fault::auth, Fault::rate_limited, Fault::unavailable, Fault::refused},
      .timeout = 2min,
      .example = "{gpu_name: RTX 4090, max_price: $0.50}",
      .estimate =
          [](const In& in) {
            const std::string many = in.gpu_count > 1 ? std::to_string(in.gpu_count) + " x " : "";
            return plugin::Estimate{{1s, 2s, 3s}, in.max_price, many + in.gpu_name};
          },
      .run = [&services](const In& in, const Context& context) -> base::Result<Out> {
        client::Vast& vast = *services.vast;
        const client::OfferQuery query{in.gpu_name, in.max_price, in.gpu_count, in.disk, in.min_reliability};
        auto offers = vast.search(query, context);
        if (!offers) return std::move(offers).error();
        if (offers->empty()) return nothing(vast, query, context);
        Out out;
        for (const auto& offer : *offers) out.offers.push_back(found(offer));
        out.best = out.offers.front();
        out.count = static_cast<std::int64_t>(out.offers.size());
        return out;
      },
  });
}

}  // namespace failover::steps::vast

#include <algorithm>
#include <cctype>

#include "engine/base/text.h"
#include "engine/plugin/step.h"
#include "steps/vast/parts.h"

namespace failover::steps::vast {
namespace {

using base::Error;
using base::Fault;
using namespace std::chrono_literals;

struct In {
  Id offer;
  std::string image;
  base::Size disk{20'000'000'000};
};
struct Out {
  std::int64_t id = 0;
  base::Money price_per_hour{};
  std::int64_t machine_id = 0;
};

constexpr std::int64_t kSmallestDisk = 8'000'000'000;  // vastai-api.md 3.1

bool consists_of(std::string_view text, std::string_view legal) {
  return !text.empty() && text.find_first_not_of(legal) == std::string_view::npos;
}

// `[registry/]path[:tag][@digest]`, as Docker reads it, and Vast's own word for a tag.
bool is_reference(std::string_view image) {
  constexpr std::string_view kAutomatic = ":@vastai-automatic-tag";
  constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  constexpr std::string_view kTag = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (image.ends_with(kAutomatic)) {
    image.remove_suffix(kAutomatic.size());
  } else {
    if (const auto at = image.find('@'); at != std::string_view::npos) {
      const std::string_view digest = image.substr(at + 1);
      constexpr std::size_t kHex = 64;
      if (!digest.starts_with("sha256:") || digest.size() != 7 + kHex ||
          !consists_of(digest.substr(7), "0123456789abcdef")) {
        return false;
      }
      image = image.substr(0, at);
    }
    const std::size_t slash = image.rfind('/');
    const std::size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
    if (colon != std::string_view::npos) {
      const std::string_view tag = image.substr(colon + 1);
      if (!consists_of(tag, kTag) || tag.size() > 128 || tag.front() == '.' || tag.front() == '-') return false;
      image = image.substr(0, colon);
    }
  }
  const auto parts = base::split(std::string(image), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    const bool registry =
        i == 0 && parts.size() > 1 && (part.find_first_of(".:") != std::string::npos || part == "localhost");
    if (registry) continue;
    if (!consists_of(part, kLower) || std::isalnum(static_cast<unsigned char>(part.front())) == 0 ||
        std::isalnum(static_cast<unsigned char>(part.back())) == 0) {
      return false;
    }
  }
  return true;
}

// 3.2 has the bound.
base::Result<void> check_image(const std::string& image) {
  const bool blank = image.find_first_of(" \t\r\n") != std::string::npos;
  if (image.size() <= 1024 && !blank && is_reference(image)) return {};
  return Error{Fault::invalid, "bad_image",
               blank ? "it has a blank in it"
               : image.empty() || image.size() > 1024
                   ? "it is empty or longer than 1024 characters"
                   : "'" + base::printable(image, 120) + "' is no reference of Docker's",
               "name a Docker image, as in vastai/base-image:latest"};
}

base::Result<void> check_disk(const base::Size& disk) {
  if (disk.bytes >= kSmallestDisk) return {};
  return Error{Fault::invalid, "disk_too_small",
               "a disk of " + base::format(disk) + " is below Vast.ai's least of 8 GB", "ask for at least 8 GB"};
}

}  // namespace

constexpr const char* kDiskOfSearch = "the machine may not have it, and its price is for the smaller one";

plugin::StepType create_instance(client::Services& services) {
  return plugin::step<In, Out>({
      .name = "vast.create_instance",
      .summary = "Rent a machine on an offer, or on the next best of its search when the offer is gone.",
      .effect = plugin::Effect::creates,
      .inputs = {plugin::required("offer", &In::offer, "Id of the offer, from vast.search_offers.").id_of(kAnOffer),
                 plugin::required("image", &In::image, "Docker image that it starts.", check_image),
                 plugin::optional("disk", &In::disk, "Disk, fixed for its life; at least 8 GB.", check_disk)},
      .outputs = {plugin::output("id", &Out::id, "Id of the instance.").id_of(kAnInstance),
                  plugin::output("price_per_hour", &Out::price_per_hour, "GPU and disk."),
                  plugin::output("machine_id", &Out::machine_id, "The machine behind it.").id_of(kAMachine)},
      .holds = {kInstance},
      .priced_by = "offer",
      .errors = {Fault::no_offer, Fault::no_credit, Fault::auth, Fault::rate_limited, Fault::unavailable,
                 Fault::unknown, Fault::refused},
      .agrees = {{"disk", "offer", "best", "disk", kDiskOfSearch, true},
                 {"disk", "offer", "offers", "disk", kDiskOfSearch, true}},
      .timeout = 5min,
      .example = "{offer: 8812345, image: \"vastai/base-image:@vastai-automatic-tag\", disk: 20 GB}",
      .estimate =
          [](const In&) {
            return plugin::Estimate{{1s, 2s, 90s}, {}};
          },
      .run = [&services](const In& in, const plugin::Context& context) -> base::Result<Out> {
        client::Vast& vast = *services.vast;
        auto offer = vast.offer(in.offer.number, in.disk, context);
        if (!offer) return std::move(offer).error();
        client::Order order{*std::move(offer), in.image, in.disk, {}};
        auto rented = rent(vast, std::move(order), {}, context);
        if (!rented) return std::move(rented).error();
        const auto made = vast.order_of(rented->id);
        return Out{rented->id, rented->price_per_hour, made ? made->offer.machine_id : 0};
      },
  });
}

}  // namespace failover::steps::vast

#include "steps/b2/b2.h"

#include "steps/b2/parts.h"
#include "steps/client/s3_by_hand.h"

namespace failover::steps {
namespace b2 {

std::string attribute(const plugin::Held& held, std::string_view name) {
  const auto found = held.attributes.find(name);
  const std::string* text = found == held.attributes.end() ? nullptr : found->second.text();
  return text == nullptr ? std::string() : *text;
}

namespace {

// With a write that was never answered there may be more than the one version that an answer named: empty.
std::string version_of(const plugin::Held& held) { return held.unclear ? std::string() : attribute(held, "version"); }

}  // namespace
}  // namespace b2

std::vector<plugin::StepType> b2_steps(client::Services& services) {
  return {b2::check_bucket(services), b2::put_object(services),   b2::get_object(services),
          b2::head_object(services),  b2::list_objects(services), b2::delete_object(services)};
}

std::vector<plugin::Kind> b2_kinds(client::Services& services) {
  plugin::Kind object;
  object.name = b2::kObject;
  object.summary = "An object in B2: the version that the run stored, and what is left of its upload.";
  object.keepable = true;
  // An upload that nobody heard of again may land as late as anything else (leak-safety.md, "Faults").
  object.settle = std::chrono::seconds(700);
  object.undo = [&services](const plugin::Held& held, const plugin::Context& context) {
    return services.b2->take_back(b2::attribute(held, "bucket"), b2::attribute(held, "key"), b2::version_of(held),
                                  held.name, held.begun_at, context);
  };
  object.by_hand = [&services](const plugin::Held& held) {
    return client::take_back_by_hand(services.settings, {b2::attribute(held, "bucket"), b2::attribute(held, "key"),
                                                         b2::version_of(held), held.name, held.begun_at});
  };
  plugin::Kind upload;
  upload.name = b2::kUpload;
  upload.summary = "An unfinished multipart upload to B2; aborted.";
  upload.settle = object.settle;
  upload.undo = [&services](const plugin::Held& held, const plugin::Context& context) {
    return services.b2->take_back(b2::attribute(held, "bucket"), b2::attribute(held, "key"), "", "", held.begun_at,
                                  context);
  };
  upload.by_hand = [&services](const plugin::Held& held) {
    return client::take_back_by_hand(
        services.settings, {b2::attribute(held, "bucket"), b2::attribute(held, "key"), "", "", held.begun_at});
  };
  return {std::move(object), std::move(upload)};
}

}  // namespace failover::steps

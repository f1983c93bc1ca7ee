// What the steps of this family share.
#pragma once

#include <string>

#include "engine/plugin/step_type.h"
#include "steps/client/services.h"

namespace failover::steps::b2 {

inline constexpr const char* kObject = "b2.object";
inline constexpr const char* kUpload = "b2.upload";
// What keys identify (base::Type::id_of).
inline constexpr const char* kAnObject = "an object";

plugin::StepType check_bucket(client::Services& services);
plugin::StepType put_object(client::Services& services);
plugin::StepType get_object(client::Services& services);
plugin::StepType head_object(client::Services& services);
plugin::StepType list_objects(client::Services& services);
plugin::StepType delete_object(client::Services& services);

// The ledger's id of an object.
inline std::string id_of(const std::string& bucket, const std::string& key) { return bucket + "/" + key; }
// The attribute as text; empty when there is none.
std::string attribute(const plugin::Held& held, std::string_view name);

}  // namespace failover::steps::b2

// JSON Schemas (draft-07) of report.json and of one journal line.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace failover::report {

nlohmann::ordered_json report_schema();
nlohmann::ordered_json journal_schema();

}  // namespace failover::report

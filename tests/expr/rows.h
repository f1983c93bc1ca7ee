// Tables of expressions: what each row's text gives, as one line.
#pragma once

#include <string>
#include <vector>

#include "engine/expr/expression.h"

namespace failover::tests {

// `inputs` {count: 3, name: "gpu", price: $0.50}, `outputs` {files, ratio: 0.5, none: null, text}, `elapsed` 5m, ...
expr::Values some_values();
// The types of those.
expr::Scope some_scope();

// The value as a literal (uints with u, doubles with a point, bytes as b"\xff"), `error CODE` of the evaluation, or
// `problem CODE` of the syntax. What the checker foresaw is compared with what came: `unsound ...` when it was wrong.
std::string value_of(const std::string& text);
// The type's name; else `BEGIN-END CODE` for every problem, joined by `; `.
std::string type_of(const std::string& text);

struct Row {
  std::string text;
  std::string result;
};
// CHECKs every row.
void check_rows(const std::vector<Row>& rows, std::string (*run)(const std::string&));

}  // namespace failover::tests

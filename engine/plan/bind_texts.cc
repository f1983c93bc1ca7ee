// The part of the binder that knows what programs print.
#include "engine/base/text.h"
#include "engine/plan/binder.h"

namespace failover::plan {
namespace {

const plugin::Output* printed(const plugin::StepType* type, const std::string& name) {
  const plugin::Output* output = type == nullptr ? nullptr : type->output(name);
  return output != nullptr && output->printed ? output : nullptr;
}

// Is it told to leave the line break out?
bool leaves_out(const source::File& file, const scenario::Step& written) {
  if (written.with == nullptr) return false;
  const std::string_view command = file.slice(written.with->span);
  return base::contains(command, "printf") || base::contains(command, "echo -n") || base::contains(command, "tr -d");
}

}  // namespace

// `outputs.stdout == 'ready'` does not hold for what `echo ready` prints, and int() does not read it.
void Binder::taken_whole(const expr::Expression& expression, const Step* own, const PlaceOf& place) {
  for (const auto& [path, text, reader] : expr::taken_whole(expression)) {
    const auto& parts = path.parts;
    const plugin::Output* output = nullptr;
    const scenario::Step* written = nullptr;
    if (parts.size() == 2 && parts[0].name == "outputs") {
      output = own == nullptr ? nullptr : printed(own->type, parts[1].name);
      written = own == nullptr ? nullptr : own->written;
    } else if (parts.size() == 3 && parts[0].name == "steps") {
      const Earlier* other = names_.earlier(parts[1].name);
      output = other == nullptr ? nullptr : printed(other->type, parts[2].name);
      written = other == nullptr ? nullptr : other->written;
    }
    if (output == nullptr || (reader.empty() && (text.empty() || text.ends_with('\n')))) continue;
    if (written != nullptr && leaves_out(*home_.file(), *written)) continue;
    const std::string name = expression.text().substr(path.begin, path.end - path.begin);
    shared_.diagnostics.warning(
        home_.file(), place(path), "seldom-meant",
        reader.empty()
            ? "what a program prints ends in a line break, and '" + base::printable(text, 60) + "' does not"
            : "what a program prints ends in a line break, which " + std::string(reader) + "() does not read",
        "write " + base::printable(name, 80) + ".trim()");
  }
}

void Binder::taken_whole(const scenario::Condition& condition, const Step* own) {
  taken_whole(condition.expression, own, [&](const expr::Path& path) {
    return scenario::span_of(*home_.file(), condition, path.begin, path.end);
  });
}

void Binder::taken_whole(const scenario::Given& given) {
  for (const auto& item : given.items) taken_whole(item);
  for (const auto& [ignored, member] : given.members) taken_whole(member);
  for (const auto& piece : given.text.pieces) {
    taken_whole(piece.expression, nullptr, [&](const expr::Path& path) {
      return source::locate(*home_.file(), *given.node, piece.begin + path.begin, piece.begin + path.end);
    });
  }
}

}  // namespace failover::plan

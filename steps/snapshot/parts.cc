#include "steps/snapshot/parts.h"

#include <nlohmann/json.hpp>

#include "engine/base/text.h"
#include "steps/client/s3_by_hand.h"
#include "steps/snapshot/snapshot.h"

namespace failover::steps::snapshot {
namespace {

using base::Error;
using base::Fault;

Error corrupt(const std::string& id, const std::string& what) {
  return {Fault::corrupt, "bad_snapshot",
          "the manifest of snapshot " + base::printable(id, 120) + " cannot be trusted: " + what,
          "take another snapshot"};
}

bool is_md5(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

// curl takes its URL from a configuration on standard input, wget and python3 read it there. An upload that ends with
// 79 (kExitUnanswered) may be stored: it went out, and whether it arrived was not told; nor is it by who says 408 or
// 5xx in other words than the store's own (`<Code>`). With any other code it was answered, or never left.
const char* const kTransferWords = R"(
put() {
  IFS= read -r url
  if command -v curl >/dev/null 2>&1; then
    told=$(printf 'url = "%s"\n' "$url" | curl -sS -K - --retry 0 --connect-timeout 20 -H 'Expect:' -H "Content-MD5: $2" -H 'Content-Type:' -T "$1" -o "$1.answer" -w '%{http_code} %{time_pretransfer}')
    code=$?
    case "$code $told" in
      '0 2'*) return ;;
      '0 408 '* | '0 5'*) echo "HTTP ${told%% *}" >&2; grep -q '<Code>' "$1.answer" || return 79; return 22 ;;
      '0 '*) echo "HTTP ${told%% *}" >&2; return 22 ;;
      '28 '*' '*[1-9]*) return 79 ;;
    esac
    case $code in 1|2|3|5|6|7|26|28|35|58|59|60|77) return "$code" ;; *) return 79 ;; esac
  elif command -v python3 >/dev/null 2>&1; then
    printf '%s\n' "$url" | python3 -c 'import sys,os,socket,ssl,http.client,urllib.error,urllib.request as u
r=u.Request(sys.stdin.readline().strip(),data=open(sys.argv[1],"rb"),method="PUT",headers={"Content-MD5":sys.argv[2],"Content-Length":str(os.path.getsize(sys.argv[1])),"Content-Type":""})
never=(socket.gaierror,ConnectionRefusedError,getattr(ssl,"SSLCertVerificationError",ssl.CertificateError))
try:
  try: u.urlopen(r,timeout=600)
  except urllib.error.HTTPError as e:
    print(e,file=sys.stderr)
    sys.exit(79 if (e.code==408 or e.code>=500) and b"<Code>" not in e.read() else 22)
except (OSError,http.client.HTTPException) as e:
  print(e,file=sys.stderr)
  sys.exit(1 if isinstance(getattr(e,"reason",e),never) else 79)' "$1" "$2"
  elif command -v wget >/dev/null 2>&1; then
    printf '%s\n' "$url" | wget -q -t 1 -i - --content-on-error -O "$1.answer" --method=PUT --body-file="$1" --header="Content-MD5: $2" && return
    code=$?
    echo "wget ended with $code" >&2
    [ "$code" -ne 8 ] || grep -q '<Code>' "$1.answer" || code=79
    case $code in 2|3|5|6|8) return "$code" ;; *) return 79 ;; esac
  else
    echo 'none of curl, python3 and wget is installed' >&2; return 127
  fi
}
get() {
  IFS= read -r url
  if command -v curl >/dev/null 2>&1; then
    printf 'url = "%s"\n' "$url" | curl -sS -f -K - --retry 0 --connect-timeout 20 -o "$1"
  elif command -v python3 >/dev/null 2>&1; then
    printf '%s\n' "$url" | python3 -c 'import sys,shutil,urllib.request as u
shutil.copyfileobj(u.urlopen(sys.stdin.readline().strip(),timeout=600),open(sys.argv[1],"wb"))' "$1"
  elif command -v wget >/dev/null 2>&1; then
    printf '%s\n' "$url" | wget -q -t 1 -i - -O "$1"
  else
    echo 'none of curl, python3 and wget is installed' >&2; return 127
  fi
}
)";

std::string prefix_of(const std::string& id) { return "snapshots/" + id + "/"; }
std::string manifest_key(const std::string& id) { return prefix_of(id) + "manifest.json"; }

std::string to_json_text(const Contents& contents) {
  auto files = nlohmann::ordered_json::parse(client::to_json_text(contents.files), nullptr, false);
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const auto& part : contents.parts)
    parts.push_back({{"key", part.key}, {"bytes", part.bytes}, {"md5", part.md5}});
  const nlohmann::ordered_json out{{"format", 1},
                                   {"id", contents.id},
                                   {"codec", contents.codec},
                                   {"parts", std::move(parts)},
                                   {"directories", contents.directories},
                                   {"tree", std::move(files)}};
  return out.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
}

base::Result<Contents> contents_from_json(std::string_view text, const std::string& id) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return corrupt(id, "it is not a JSON object");
  if (json.value("format", nlohmann::json()) != 1) return corrupt(id, "its format is not known to this version");
  const auto text_of = [](const nlohmann::json& at, const char* name) {
    const auto found = at.find(name);
    return found != at.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  Contents out;
  out.id = text_of(json, "id");
  if (out.id != id) return corrupt(id, "it belongs to another snapshot");
  out.codec = text_of(json, "codec");
  if (out.codec != "zstd" && out.codec != "gzip") return corrupt(id, "its codec is not known");
  const auto tree = json.find("tree");
  auto files = client::manifest_from_json(
      tree == json.end() ? std::string() : tree->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!files) return std::move(files).error().during("reading snapshot " + id);
  out.files = *std::move(files);
  const auto directories = json.find("directories");
  if (directories == json.end() || !directories->is_array()) return corrupt(id, "it has no list of directories");
  for (const auto& one : *directories) {
    if (!one.is_string()) return corrupt(id, "a directory is no text");
    if (auto fits = client::check_relative(one.get<std::string>()); !fits) return std::move(fits).error();
    out.directories.push_back(one.get<std::string>());
  }
  const auto parts = json.find("parts");
  if (parts == json.end() || !parts->is_array() || parts->empty()) return corrupt(id, "it has no parts");
  for (const auto& one : *parts) {
    if (!one.is_object()) return corrupt(id, "a part is no object");
    Part part{text_of(one, "key"), 0, text_of(one, "md5")};
    const auto bytes = one.find("bytes");
    if (bytes != one.end() && bytes->is_number_integer()) part.bytes = bytes->get<std::int64_t>();
    if (part.key.rfind(prefix_of(id), 0) != 0 || part.bytes <= 0 || !is_md5(part.md5))
      return corrupt(id, "a part is not described as it must be");
    out.parts.push_back(std::move(part));
  }
  return out;
}

}  // namespace failover::steps::snapshot

namespace failover::steps {
namespace {

std::string attribute(const plugin::Held& held, const char* name) {
  const auto at = held.attributes.find(name);
  return at == held.attributes.end() || at->second.text() == nullptr ? std::string() : *at->second.text();
}

}  // namespace

std::vector<plugin::StepType> snapshot_steps(client::Services& services) {
  return {snapshot::create(services), snapshot::restore(services)};
}

std::vector<plugin::Kind> snapshot_kinds(client::Services& services) {
  plugin::Kind kind;
  kind.name = snapshot::kKind;
  kind.summary = "every object of it is deleted from its bucket, every version for good";
  kind.keepable = true;
  kind.by_hand = [&services](const plugin::Held& held) {
    return client::purge_by_hand(services.settings, attribute(held, "bucket"),
                                 snapshot::prefix_of(attribute(held, "prefix") + held.name));
  };
  kind.settle = snapshot::kUrlSettle;  // a machine may go on sending with a URL that it has
  kind.undo = [&services](const plugin::Held& held, const plugin::Context& context) {
    return services.b2->purge(attribute(held, "bucket"), snapshot::prefix_of(attribute(held, "prefix") + held.name),
                              context);
  };
  return {kind};
}

}  // namespace failover::steps

// What an upload to B2 left behind is taken back whole, and nothing that others stored.
#include "tests/providers/b2_world.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Fault;
using base::Value;
using namespace std::chrono_literals;

namespace {

// Begins an upload in parts that nobody finishes, as a run that was killed in its middle.
void begin_upload(B2World& w, const std::string& key) {
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method == "PUT") {
      w.stop.request_stop();
      answer.delay = 1h;
    }
  };
  client::Upload upload;
  upload.bucket = kBucket;
  upload.key = key;
  upload.body_file = w.file("big", 101'000'000);
  upload.label = "label";
  CHECK_FALSE(w.s3().put(upload, w.context()).ok());
  w.http.after = nullptr;
  w.stop = {};
  CHECK(w.meter().uploads == 1);
}

plugin::Held held_of(const B2World& w, const char* kind, base::WallTime begun) {
  plugin::Held held{kind, "label", "", true, w.clock.wall(), {{"bucket", kBucket}, {"key", "big"}}, begun};
  return held;
}

}  // namespace

TEST_CASE("what a run stored goes by its version; what was there before stays") {
  B2World w;
  REQUIRE(w.put("shared", "theirs").ok());
  const auto stored = w.run("b2.put_object", {{"bucket", kBucket}, {"key", "shared"}, {"text", "ours"}});
  REQUIRE(stored.ok());
  CHECK(*w.get("shared") == "ours");
  CHECK(w.clean_up());
  CHECK(*w.get("shared") == "theirs");
  CHECK(w.meter().hidden_versions == 0);
}

TEST_CASE("what stands behind a key in the bucket's order is not read to take that one back") {
  B2World w;
  const auto stored = w.run("b2.put_object", {{"bucket", kBucket}, {"key", "backup"}, {"text", "ours"}});
  REQUIRE(stored.ok());
  for (int i = 0; i < 1'100; ++i) REQUIRE(w.put("backup/" + std::to_string(i), "theirs").ok());
  w.http.sent.clear();
  CHECK(w.clean_up());
  CHECK(w.http.count("GET", "versions") == 2);  // a page each: it is gone by its version before
  CHECK(w.meter().objects.size() == 1'100);
}

TEST_CASE("an unclear upload is found again by its label") {
  B2World w;
  REQUIRE(w.put("shared", "theirs").ok());
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    answer.drop = request.method == "PUT" || request.method == "HEAD";
  };
  const auto stored = w.run("b2.put_object", {{"bucket", kBucket}, {"key", "shared"}, {"text", "ours"}});
  REQUIRE(!stored.ok());
  CHECK(stored.error().fault == Fault::unknown);
  CHECK(w.host.records().at(0).outcome == "unclear");
  w.http.after = nullptr;
  CHECK(w.clean_up());
  CHECK(*w.get("shared") == "theirs");
  CHECK(w.meter().hidden_versions == 0);
}

TEST_CASE("an upload that was never answered is told, and what it leaves is found although a second one was answered") {
  B2World w;
  REQUIRE(w.put("shared", "theirs").ok());
  int puts = 0;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method == "PUT") answer.drop = ++puts == 1;
    if (request.method == "HEAD") answer.drop = true;  // it cannot look whether the first one arrived
  };
  REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "shared"}, {"text", "ours"}}).ok());
  w.http.after = nullptr;
  const auto record = w.host.records().at(0);
  CHECK(record.outcome == "made");
  CHECK(record.sent == 2);
  CHECK(record.unanswered == 1);
  CHECK(w.undo_first());
  CHECK(*w.get("shared") == "theirs");
  CHECK(w.meter().hidden_versions == 0);
}

TEST_CASE(
    "an upload that a gateway answered with 502 may be there: told, and found although a second one was answered") {
  B2World w;
  int puts = 0;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method != "PUT" || ++puts > 1) return;
    answer.status = 502;
    answer.text = "<html>bad gateway</html>";
  };
  REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "twice"}, {"text", "ours"}}).ok());
  CHECK(puts == 2);
  CHECK(w.meter().hidden_versions == 1);
  CHECK(w.host.records().at(0).unanswered == 1);
  CHECK(w.undo_first());
  CHECK(w.meter().objects.empty());
  CHECK(w.meter().hidden_versions == 0);
  // B2's own no is one.
  w.arm("b2_internal_error:1");
  REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "once"}, {"text", "ours"}}).ok());
  CHECK(w.host.records().at(1).unanswered == 0);
}

TEST_CASE("an upload that arrived twice goes whole, and what others stored since stays") {
  B2World w;
  bool again = false;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer&) {
    if (request.method != "PUT" || std::exchange(again, true)) return;
    (void)w.http.send(request, w.context());
  };
  REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "shared"}, {"text", "ours"}}).ok());
  w.http.after = nullptr;
  CHECK(w.meter().hidden_versions == 1);
  REQUIRE(w.put("shared", "theirs").ok());
  CHECK(w.clean_up());
  CHECK(*w.get("shared") == "theirs");
  CHECK(w.meter().hidden_versions == 0);
}

TEST_CASE("an upload whose last part went long after its first is taken back; one from before the intent stays") {
  for (const char* kind : {"b2.object", "b2.upload"}) {
    CAPTURE(kind);
    B2World w;
    const base::WallTime begun = w.clock.wall();
    begin_upload(w, "big");
    w.clock.advance(1'600s);
    const auto found = std::find_if(w.kinds.begin(), w.kinds.end(), [&](const auto& one) { return one.name == kind; });
    REQUIRE(found != w.kinds.end());
    const std::string since = base::format_utc(begun - 15min).substr(0, 19);
    CHECK(base::contains(found->by_hand(held_of(w, kind, begun)), since));
    // Of an intent 20 min after it: another's.
    CHECK(found->undo(held_of(w, kind, begun + 20min), w.context()).ok());
    CHECK(w.meter().uploads == 1);
    CHECK(found->undo(held_of(w, kind, begun), w.context()).ok());
    CHECK(w.meter().uploads == 0);
  }
}

TEST_CASE("an object whose first upload was not answered goes whole, however late the last one was") {
  for (const bool by_step : {false, true}) {
    CAPTURE(by_step);
    B2World w;
    const base::WallTime begun = w.clock.wall();
    REQUIRE(w.put("big", "ours", "label").ok());
    w.clock.advance(1'600s);
    auto held = held_of(w, "b2.object", begun);
    held.id = std::string(kBucket) + "/big";
    if (by_step) {
      w.host.add_held(held);
      CHECK(w.run("b2.delete_object", {{"bucket", kBucket}, {"key", "big"}}).ok());
    } else {
      CHECK(w.kinds.at(0).undo(held, w.context()).ok());
    }
    CHECK(w.meter().objects.empty());
    CHECK(w.meter().hidden_versions == 0);
  }
}

TEST_CASE("a time that cannot be read is no absence: a version's label decides, an upload stays and is told") {
  B2World w;
  const base::WallTime begun = w.clock.wall();
  REQUIRE(w.put("big", "theirs").ok());
  REQUIRE(w.put("big", "ours", "label").ok());
  begin_upload(w, "big");
  w.http.after = [](const client::HttpRequest&, sandbox::Answer& answer) {
    for (const std::string tag : {"<LastModified>", "<Initiated>"}) {
      for (auto at = answer.text.find(tag); at != std::string::npos; at = answer.text.find(tag, at + 1)) {
        answer.text.replace(at + tag.size(), 4, "soon");
      }
    }
  };
  const auto left = w.kinds.at(0).undo(held_of(w, "b2.object", begun), w.context());
  REQUIRE_FALSE(left.ok());
  CHECK(left.error().fault == Fault::unavailable);
  CHECK(w.meter().uploads == 1);
  CHECK(w.meter().hidden_versions == 0);
  CHECK(*w.get("big") == "theirs");
  // Where everything under a prefix goes, times do not matter.
  CHECK(w.s3().abort_uploads(kBucket, "big", w.context()).ok());
  CHECK(w.meter().uploads == 0);
  CHECK(w.kinds.at(0).undo(held_of(w, "b2.object", begun), w.context()).ok());
}

TEST_CASE("an upload in parts whose beginning was not answered: the object may be kept, the other upload goes") {
  for (const bool gateway : {false, true}) {
    CAPTURE(gateway);
    B2World w;
    int posts = 0;
    w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
      if (request.method != "POST" || ++posts > 2) return;
      if (gateway) {
        answer.status = 502;
        answer.text = "<html>bad gateway</html>";
      } else {
        answer.drop = true;
      }
    };
    REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "big"}, {"from", w.file("big", 101'000'000)}}).ok());
    w.http.after = nullptr;
    const auto records = w.host.records();
    REQUIRE(records.size() == 2);
    CHECK(records[0].outcome == "made");
    CHECK(records[1].intent.kind == "b2.upload");
    CHECK(records[1].outcome == "unclear");
    CHECK(records[1].sent == 1);  // the second loss counts from its own time
    CHECK(w.meter().uploads == 2);
    plugin::Held upload{"b2.upload", records[1].name, "", true, w.clock.wall(), records[1].intent.attributes};
    upload.begun_at = w.clock.wall();
    CHECK(w.kinds.at(1).undo(upload, w.context()).ok());
    CHECK(w.meter().uploads == 0);
    CHECK(w.meter().objects.size() == 1);
  }
}

TEST_CASE("an upload that was lost, and a stop before it is sent again: it may be there") {
  B2World w;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    answer.drop = request.method == "PUT" || request.method == "HEAD";
    if (request.method == "HEAD") w.stop.request_stop();
  };
  const auto stored = w.run("b2.put_object", {{"bucket", kBucket}, {"key", "k"}, {"text", "ours"}});
  REQUIRE_FALSE(stored.ok());
  CHECK(stored.error().code != "unsent");
  CHECK(w.host.records().at(0).outcome == "unclear");
  CHECK(w.host.records().at(0).unanswered == 1);
}

TEST_CASE("a known version is removed although no listing is to be had, and counts as gone once one shows it") {
  B2World w;
  REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "a"}, {"text", "ours"}}).ok());
  w.http.after = [](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method != "GET") return;
    answer.status = 403;
    answer.text = "<Error><Code>AccessDenied</Code><Message>Transaction cap exceeded</Message></Error>";
  };
  CHECK_FALSE(w.clean_up());
  CHECK(w.meter().objects.empty());
  w.http.after = nullptr;
  CHECK(w.clean_up());
}

TEST_CASE("a version that is listed and not there when it is looked at is no absence") {
  B2World w;
  REQUIRE(w.put("big", "ours", "label").ok());
  int hidden = 0;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method != "HEAD" || ++hidden > 2) return;
    answer.status = 404;
  };
  CHECK(w.kinds.at(0).undo(held_of(w, "b2.object", w.clock.wall()), w.context()).ok());
  CHECK(w.meter().objects.empty());
  REQUIRE(w.put("big", "ours", "label").ok());
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method == "HEAD") answer.status = 404;
  };
  const auto left = w.kinds.at(0).undo(held_of(w, "b2.object", w.clock.wall()), w.context());
  REQUIRE_FALSE(left.ok());
  CHECK(left.error().code == "still_there");
}

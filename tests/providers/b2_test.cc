// The S3 client and the B2 steps against the sandbox's door: signatures are verified there for real.
#include "engine/base/file.h"
#include "steps/client/grace.h"
#include "tests/providers/b2_world.h"

using namespace failover;           // NOLINT(google-build-using-namespace)
using namespace failover::testing;  // NOLINT(google-build-using-namespace)
using base::Fault;
using base::Value;
using namespace std::chrono_literals;

TEST_CASE("objects come back byte for byte, under any name that a URL carries") {
  B2World w;
  const std::string odd = std::string("runs/a b+c=(é)!'*,:@$;&?#%41//") + "x";
  for (const std::string& key : {std::string("plain"), odd, std::string("<&>\"")}) {
    CAPTURE(key);
    const std::string body = "hello " + key + std::string("\0\r\n\xff", 4);
    const auto stored = w.put(key, body);
    if (!stored) FAIL(stored.error().line());
    CHECK(stored->etag == base::digest_hex(base::Algorithm::md5, body));
    CHECK(!stored->version.empty());
    const auto got = w.get(key);
    REQUIRE(got.ok());
    CHECK(*got == body);
    CHECK(w.s3().head(kBucket, key, w.context())->bytes == static_cast<std::int64_t>(body.size()));
  }
  const auto listed = w.s3().list(kBucket, "runs/a b+c=(é)", w.context());
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 1);
  CHECK(listed->front().key == odd);
  for (const char* key : {"a/../b", "./a", "a\nb", "\xff"}) CHECK(w.put(key, "x").error().fault == Fault::invalid);
}

TEST_CASE("lists of more than a page, and purge takes every version, marker and unfinished upload") {
  B2World w;
  for (int i = 0; i < 1050; ++i) REQUIRE(w.put("many/" + std::to_string(i), "x").ok());
  REQUIRE(w.put("many/7", "again").ok());
  REQUIRE(w.s3().remove(kBucket, "many/8", w.context()).ok());
  REQUIRE(w.put("other", "stays").ok());
  CHECK(w.s3().list(kBucket, "many/", w.context())->size() == 1049);
  CHECK(w.s3().purge(kBucket, "many/", w.context(30min)).ok());
  CHECK(w.s3().purge(kBucket, "many/", w.context()).ok());  // nothing there is success
  const auto meter = w.meter();
  REQUIRE(meter.objects.size() == 1);
  CHECK(meter.objects[0].first == "other");
  CHECK(meter.hidden_versions == 0);
  CHECK(!w.s3().purge(kBucket, "", w.context()).ok());
}

TEST_CASE("a big file goes in parts and comes back the same") {
  B2World w;
  const std::string path = w.file("big", 150'000'000);
  client::Upload upload;
  upload.bucket = kBucket;
  upload.key = "big";
  upload.body_file = path;
  upload.label = "mine";
  std::int64_t seen = 0;
  upload.on_bytes = [&](std::int64_t done) { seen = done; };
  SUBCASE("in peace") {}
  SUBCASE("with a busy vault, an internal error and a lost part") {
    w.arm("b2_unavailable");
    w.arm("b2_internal_error:2");
    w.arm("put_lost_answer");
  }
  SUBCASE("with the answer to its completion lost") { w.arm("complete_lost_answer"); }
  const auto stored = w.s3().put(upload, w.context());
  if (!stored) FAIL(stored.error().line());
  CHECK(stored->bytes == 150'000'000);
  CHECK(seen == 150'000'000);
  CHECK(base::contains(stored->etag, "-3"));
  const std::string back = (w.folder / "back").string();
  REQUIRE(w.s3().get_file(kBucket, "big", stored->version, back, w.context()).ok());
  CHECK(std::filesystem::file_size(back) == 150'000'000);
  CHECK(w.meter().uploads == 0);
  std::ifstream a(path, std::ios::binary), b(back, std::ios::binary);
  std::string block_a(1 << 20, 0), block_b(1 << 20, 0);
  bool same = true;
  while (a.read(block_a.data(), 1 << 20) && b.read(block_b.data(), 1 << 20)) same = same && block_a == block_b;
  CHECK(same);
}

TEST_CASE("a big upload that fails is aborted") {
  B2World w;
  client::Upload upload;
  upload.bucket = kBucket;
  upload.key = "big";
  upload.body_file = w.file("big", 120'000'000);
  int parts = 0;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (!base::contains(request.url, "partNumber=2")) return;
    ++parts;
    answer = {};
    answer.status = 403;
    answer.text = "<Error><Code>AccessDenied</Code><Message>storage cap exceeded</Message></Error>";
  };
  const auto stored = w.s3().put(upload, w.context());
  REQUIRE(!stored.ok());
  CHECK(stored.error().code == "cap_exceeded");
  CHECK(parts == 1);
  CHECK(w.meter().uploads == 0);
}

TEST_CASE("busy and slow answers are repeated on a new connection; time is the only limit") {
  B2World w;
  w.arm("b2_unavailable");
  CHECK(w.put("a", "1").ok());
  w.arm("b2_slow_down:3");
  CHECK(w.put("b", "2").ok());
  w.arm("b2_internal_error:2");
  CHECK(w.put("c", "3").ok());
  w.arm("b2_slow_down:-1");
  const auto busy = w.put("d", "4");
  REQUIRE(!busy.ok());
  CHECK(busy.error().fault == Fault::rate_limited);
}

TEST_CASE("a lost answer: it looks before it sends again") {
  B2World w;
  w.arm("put_lost_answer");
  const auto stored = w.put("a", "once", "label");
  REQUIRE(stored.ok());
  CHECK(!stored->version.empty());
  CHECK(w.http.count("PUT", "/a") == 1);
  CHECK(w.meter().hidden_versions == 0);
}

TEST_CASE("damage is noticed: in the store, on the way, cut, or missing") {
  B2World w;
  w.arm("object_corrupted");
  REQUIRE(w.put("rotten", "some bytes").ok());
  auto got = w.get("rotten");
  REQUIRE(!got.ok());
  CHECK(got.error().fault == Fault::corrupt);
  const std::string path = (w.folder / "rotten").string();
  CHECK(w.s3().get_file(kBucket, "rotten", "", path, w.context()).error().fault == Fault::corrupt);
  CHECK(std::filesystem::is_empty(w.folder));  // neither the file nor its temporary

  REQUIRE(w.put("good", "some bytes").ok());
  w.arm("download_corrupted");
  CHECK(*w.get("good") == "some bytes");
  w.arm("download_cut");
  CHECK(*w.get("good") == "some bytes");

  // Its upload was confirmed, and yet it is another object now: the bytes fit the ETag, and nobody but who wrote it
  // knows.
  int swapped = 0;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(w.put("one", "one's bytes").ok());
    w.arm("object_swapped");
    const auto other = w.put("other", "the other's");
    REQUIRE(other.ok());
    CHECK(other->etag == base::digest_hex(base::Algorithm::md5, "the other's"));
    REQUIRE(w.get("one").ok());
    CHECK(*w.get("one") == *w.get("other"));
    swapped += *w.get("one") == "the other's" ? 1 : 0;
  }
  CHECK(swapped > 0);  // now this one, now that
  CHECK(swapped < 8);

  w.arm("object_stale");
  REQUIRE(w.put("young", "old").ok());
  CHECK(*w.get("young") == "old");  // there is nothing older
  const auto newer = w.put("young", "new");
  REQUIRE(newer.ok());
  CHECK(*w.get("young") == "old");
  CHECK(*w.get("young") == "new");

  w.arm("object_missing");
  REQUIRE(w.put("lost", "some bytes").ok());
  CHECK(w.get("lost").error().fault == Fault::not_found);
}

TEST_CASE("keys: wrong, without rights, capped, wrong region, no bucket: each says what to do") {
  struct Row {
    const char* fault;
    Fault expected;
    const char* code;
  };
  for (const Row& row :
       {Row{"bad_b2_key", Fault::auth, "invalid_key_id"}, Row{"b2_no_rights", Fault::auth, "no_rights"},
        Row{"b2_bucket_missing", Fault::not_found, "no_such_bucket"}}) {
    B2World w;
    w.arm(row.fault);
    const auto checked = w.run("b2.check_bucket", {{"bucket", kBucket}});
    REQUIRE(!checked.ok());
    CHECK(checked.error().fault == row.expected);
    CHECK(checked.error().code == row.code);
    CHECK(!checked.error().hint.empty());
  }
  B2World w;
  w.arm("b2_cap_exceeded");
  CHECK(w.put("a", "x").error().code == "cap_exceeded");
  auto account = w.account();
  account.region = "us-west-004";
  CHECK(client::make_s3(account, w.http)->check(kBucket, "", w.context()).error().code == "wrong_region");
  account = w.account();
  account.key = base::Secret("K000wrongwrongwrongwrongwrong00");
  CHECK(client::make_s3(account, w.http)->check(kBucket, "", w.context()).error().code == "bad_signature");
  account.key = base::Secret();
  const std::size_t sent = w.http.sent.size();
  CHECK(client::make_s3(account, w.http)->check(kBucket, "", w.context()).error().fault == Fault::auth);
  CHECK(w.http.sent.size() == sent);
}

TEST_CASE("presigned URLs work for their one thing and pin its bytes") {
  B2World w;
  const std::string body = "from the machine";
  const std::string md5 = base::base64(base::digest(base::Algorithm::md5, body));
  const auto url = w.s3().presign("PUT", kBucket, "pre", 5min, static_cast<std::int64_t>(body.size()), md5, w.clock);
  REQUIRE(url.ok());
  const auto send = [&](const std::string& text, const std::string& sum) {
    client::HttpRequest request;
    request.method = "PUT";
    request.url = url->reveal();
    request.body = text;
    request.headers = {{"Content-Length", std::to_string(text.size())}, {"Content-MD5", sum}};
    return w.http.send(request, w.context())->status;
  };
  CHECK(send("from somebody else", base::base64(base::digest(base::Algorithm::md5, "from somebody else"))) == 403);
  CHECK(send(body, md5) == 200);
  CHECK(*w.get("pre") == body);
  w.clock.advance(6min);
  CHECK(send(body, md5) == 403);
  CHECK(!w.s3().presign("PUT", kBucket, "pre", 16min, {}, "", w.clock).ok());
  CHECK(!w.s3().presign("DELETE", kBucket, "pre", 5min, {}, "", w.clock).ok());
}

TEST_CASE("an upload may take as long as its step, when nobody stops it") {
  B2World w;
  int puts = 0;
  w.http.after = [&](const client::HttpRequest& request, sandbox::Answer& answer) {
    if (request.method != "PUT") return;
    ++puts;
    answer.delay = 5min;
  };
  CHECK(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "slow"}, {"text", "ours"}}).ok());
  CHECK(puts == 1);
  CHECK(w.host.records().at(0).outcome == "made");
  const auto context = w.context(7min);
  CHECK(client::Grace(context).context().patience().deadline() == context.patience().deadline());
}

TEST_CASE("after a stop no upload is begun: none is announced, none sent, and that is certain") {
  B2World w;
  w.host.meanwhile = [&] { w.stop.request_stop(); };
  const auto stored = w.run("b2.put_object", {{"bucket", kBucket}, {"key", "late"}, {"text", "ours"}});
  REQUIRE_FALSE(stored.ok());
  CHECK(stored.error().fault == Fault::cancelled);
  CHECK(stored.error().code == "unsent");
  CHECK(w.http.sent.empty());
  CHECK(w.host.records().at(0).sent == 0);
  CHECK(w.host.records().at(0).outcome == "unsent");
}

TEST_CASE("an answer that is larger than any of theirs is no answer, and asked for again") {
  B2World w;
  int large = 0;
  w.http.before = [&](const client::HttpRequest&) -> std::optional<base::Result<client::HttpResponse>> {
    if (++large > 1) return std::nullopt;
    return base::Error{Fault::corrupt, "too_large", "the answer is too large"};
  };
  CHECK(w.run("b2.check_bucket", {{"bucket", kBucket}}).ok());
  large = 0;
  CHECK(w.put("a", "once", "label").ok());
  w.http.before = [&](const client::HttpRequest&) -> std::optional<base::Result<client::HttpResponse>> {
    return base::Error{Fault::corrupt, "too_large", "the answer is too large"};
  };
  CHECK(w.run("b2.check_bucket", {{"bucket", kBucket}}).error().fault == Fault::unavailable);
  CHECK(w.put("b", "once", "label").error().fault == Fault::unknown);
  CHECK(w.get("a").error().fault == Fault::corrupt);  // an object may be
}

TEST_CASE("the steps: put a file, look, list, get, delete for good") {
  B2World w;
  const std::string path = w.file("data", 3'000'000);
  const auto put = w.run("b2.put_object", {{"bucket", kBucket}, {"from", path}});
  REQUIRE(put.ok());
  const std::string key = *put->find("key")->text();
  CHECK(key == "failover/test-run/data");
  CHECK(*w.run("b2.head_object", {{"bucket", kBucket}, {"key", key}})->find("bytes") == Value(std::int64_t{3'000'000}));
  CHECK(*w.run("b2.list_objects", {{"bucket", kBucket}, {"prefix", "failover/"}})->find("count") ==
        Value(std::int64_t{1}));
  const std::string back = (w.folder / "back").string();
  CHECK(w.run("b2.get_object", {{"bucket", kBucket}, {"key", key}, {"to", back}}).ok());
  CHECK(*base::read_file(back, 4'000'000) == *base::read_file(path, 4'000'000));
  CHECK(w.run("b2.delete_object", {{"bucket", kBucket}, {"key", key}}).ok());
  CHECK(w.meter().objects.empty());
  CHECK(w.meter().hidden_versions == 0);
  CHECK(w.clean_up());
  CHECK(w.run("b2.head_object", {{"bucket", kBucket}, {"key", key}}).error().fault == Fault::not_found);
  CHECK(w.run("b2.delete_object", {{"bucket", kBucket}, {"key", key}}).ok());
  CHECK(w.run("b2.put_object", {{"bucket", kBucket}, {"from", "/nonexistent/file"}}).error().fault == Fault::invalid);
}

TEST_CASE("an object that was stored twice is gone for good when it was deleted, and another's older version stays") {
  B2World w;
  const auto put = [&](const std::string& text) {
    const auto path = (w.folder / "text").string();
    std::ofstream(path) << text;
    return w.run("b2.put_object", {{"bucket", kBucket}, {"key", "drill/state"}, {"from", path}});
  };
  const Value::Map what{{"bucket", kBucket}, {"key", "drill/state"}};
  REQUIRE(put("one").ok());
  REQUIRE(put("two").ok());
  CHECK(w.run("b2.delete_object", what).ok());
  CHECK(w.run("b2.get_object", what).error().fault == Fault::not_found);
  CHECK(w.meter().objects.empty());
  CHECK(w.meter().hidden_versions == 0);
  // Stored once more it is deleted once more, and nothing is made of what was deleted before.
  REQUIRE(put("three").ok());
  CHECK(w.run("b2.delete_object", what).ok());
  CHECK(w.meter().objects.empty());

  REQUIRE(w.put("drill/state", "somebody else's").ok());
  REQUIRE(put("ours").ok());
  const auto deleted = w.run("b2.delete_object", what);
  REQUIRE(deleted.ok());
  CHECK(*deleted->find("deleted") == Value(false));
  CHECK(*w.get("drill/state") == "somebody else's");
  CHECK(w.meter().hidden_versions == 0);
}

TEST_CASE("after its deletion nothing is hidden on a captive portal's word, and what of ours came late goes too") {
  for (const bool portal : {true, false}) {
    CAPTURE(portal);
    B2World w;
    const Value::Map what{{"bucket", kBucket}, {"key", "a"}};
    REQUIRE(w.run("b2.put_object", {{"bucket", kBucket}, {"key", "a"}, {"text", "ours"}}).ok());
    int looks = 0;
    w.http.before = [&](const client::HttpRequest& request) -> std::optional<base::Result<client::HttpResponse>> {
      if (request.method != "HEAD" || ++looks > 1) return std::nullopt;
      if (portal) return client::HttpResponse{200, {{"content-type", "text/html"}}, ""};
      // The request arrived twice, and this is its second effect.
      const auto other = client::make_s3(w.account(), w.http);
      client::Upload again;
      again.bucket = kBucket;
      again.key = "a";
      again.body = "ours";
      again.label = w.host.records().at(0).name;
      REQUIRE(other->put(again, w.context()).ok());
      return std::nullopt;
    };
    const auto deleted = w.run("b2.delete_object", what);
    CHECK(deleted.ok() != portal);
    CHECK(w.meter().objects.empty());
    CHECK(w.meter().hidden_versions == 0);
    CHECK(w.clean_up());
    w.http.before = nullptr;
    CHECK(w.run("b2.delete_object", what).ok());
    CHECK(w.meter().hidden_versions == 0);
  }
}

TEST_CASE("what is said of a version that was got is that version's, whatever lies above it") {
  B2World w;
  const auto one = w.put("notes", "one");
  REQUIRE(one.ok());
  REQUIRE(w.put("notes", "two").ok());
  const Value::Map what{{"bucket", kBucket}, {"key", "notes"}, {"version", one->version}};
  const auto check = [&] {
    const auto got = w.run("b2.get_object", what);
    REQUIRE(got.ok());
    CHECK(*got->find("text")->text() == "one");
    CHECK(*got->find("etag")->text() == base::digest_hex(base::Algorithm::md5, "one"));
    CHECK(*got->find("bytes") == Value(std::int64_t{3}));
  };
  check();
  REQUIRE(w.run("b2.delete_object", {{"bucket", kBucket}, {"key", "notes"}}).ok());  // a marker on top
  check();
}

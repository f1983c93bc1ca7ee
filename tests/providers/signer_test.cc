// The published vectors of references/b2-s3-api.md, section 3.
#include <doctest/doctest.h>

#include "steps/client/s3.h"

namespace {

using namespace failover;

client::S3Account account() {
  return {"https://s3.us-west-004.backblazeb2.com", "us-west-004", "0041234567890ab0000000001",
          base::Secret("K004abc+DEF/ghi=jklMNOpqrSTUvwx")};
}

client::Signable request(const char* method, const char* path) {
  client::Signable out;
  out.method = method;
  out.host = "s3.us-west-004.backblazeb2.com";
  out.path = path;
  return out;
}

const base::WallTime kAt = *base::parse_utc("2026-01-02T03:04:05Z");
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST_CASE("vector 1: a listing with a prefix that needs encoding") {
  auto list = request("GET", "/drill-bucket");
  list.query = {{"list-type", "2"}, {"max-keys", "5"}, {"prefix", "runs/a b+c=(é)/"}};
  list.payload_hash = kEmpty;
  const auto made = client::sign(account(), list, kAt);
  CHECK(made.canonical_hash == "ef437f72911328266951dd2f3dd9ab8a03d75b55100a2c89c27e0223ed1ea2bb");
  CHECK(made.signature == "a7b93ffbc37cf53ffaf515948dfa2ca9983803e6ecbee2eef518a50ceef65bef");
  CHECK(made.path_and_query == "/drill-bucket?list-type=2&max-keys=5&prefix=runs%2Fa%20b%2Bc%3D%28%C3%A9%29%2F");
}

TEST_CASE("vector 2: an upload with Content-MD5") {
  auto put = request("PUT", "/drill-bucket/runs/r1/a b+c=(é).txt");
  put.headers = {{"content-md5", "XrY7u+Ae7tCTyyK7j1rNww=="}};
  put.payload_hash = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
  const auto made = client::sign(account(), put, kAt);
  CHECK(made.canonical_hash == "792892a65f190f74e3ecd7691f65c1f0c0e0d5e620527ae716465352a62eea1d");
  CHECK(made.signature == "4c70fc8180b3797f184991d36dc2bf783751f4111314f192d79cd934128accdc");
  CHECK(made.authorization.find("SignedHeaders=content-md5;host;x-amz-content-sha256;x-amz-date,") !=
        std::string::npos);
}

TEST_CASE("vector 3: a presigned part") {
  auto part = request("PUT", "/drill-bucket/runs/r1/ckpt.tar.zst");
  part.query = {{"partNumber", "3"}, {"uploadId", "4_zdeadbeef_f1_d20260102_m030405_c004_v0402000_t0001_u01"}};
  const auto made = client::presign(account(), part, kAt, std::chrono::seconds(3600));
  CHECK(made.canonical_hash == "e69f8b9404da97da8137e4410e981367b424effda5cee5e16ebe0e19c5c18cfd");
  CHECK(made.signature == "934a9676f9aa08c860535154fa39195b4a101ae43eea6b289d8aa412f99ecbfa");
  // Capitals sort before small letters.
  CHECK(made.path_and_query.find("X-Amz-SignedHeaders=host&partNumber=3&uploadId=") != std::string::npos);
}

}  // namespace

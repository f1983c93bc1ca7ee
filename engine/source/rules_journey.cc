// Findings about money, time, marks and secrets: what the whole journey would do.
#include "engine/source/rules_tables.h"

namespace failover::source {
namespace {

constexpr Example kRental{R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"};

constexpr Rule kRules[] = {
    {"blind-retry",
     "A step that makes something would be tried again blindly.",
     "After a `timeout` or an `unknown` error the thing may exist already, and a second one would be paid for. The "
     "step "
     "looks for what it may have made by itself; leave these classes out.",
     {R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
    retry: {errors: [timeout, rate_limited], attempts: 3}
)y"},
     {R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
    retry: {errors: [rate_limited], attempts: 3}
)y"}},
    {"ceiling-above-limit",
     "At the highest price that the search allows, the machine would not be rented.",
     "The limit is reserved before a rental, at the offer's price and to the end of the run. A dear day would end the "
     "run "
     "before it began. Raise `limits.cost`, lower the price, or shorten `limits.duration`.",
     {R"y(name: example
limits: {cost: $0.20, duration: 1h}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"},
     {R"y(name: example
limits: {cost: $0.20, duration: 20m}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"},
     Severity::warning},
    {"duplicate-mark",
     "A mark stands for more than one instant.",
     "Objectives are measured from one mark to another, and each is one instant. Keep it on one step, outside of any "
     "`foreach`.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    marks: [recovered]
)y"}},
    {"mark-may-be-missing",
     "An objective is measured by a mark that a run may pass without setting.",
     "Its step has a `when`, stands in a branch that may lose, or holds only steps that may be skipped. Such a run "
     "ends "
     "without a figure for the objective. "
     "Put the mark on a step that always runs, such as the one behind the branches.",
     {R"y(name: example
inputs:
  slow: {type: boolean, default: false}
objectives: {rto: 5m}
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    when: inputs.slow
    marks: [recovered]
)y"},
     {R"y(name: example
objectives: {rto: 5m}
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    marks: [recovered]
)y"},
     Severity::warning},
    {"already-gone",
     "A step uses a machine that an earlier step has given back or stopped.",
     "Nothing answers there any more: the step would try until its time is over. A stopped machine can be started "
     "again. "
     "A step that is to show just that says `must_fail: true`.",
     {R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu}
  - id: ready
    uses: vast.wait_until_ready
    with: {instance: "${{ steps.machine.id }}"}
  - uses: vast.destroy_instance
    with: {instance: "${{ steps.machine.id }}"}
  - uses: ssh.exec
    with: {host: "${{ steps.ready.ssh }}", command: [hostname]}
)y"},
     {R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu}
  - id: ready
    uses: vast.wait_until_ready
    with: {instance: "${{ steps.machine.id }}"}
  - uses: ssh.exec
    with: {host: "${{ steps.ready.ssh }}", command: [hostname]}
  - uses: vast.destroy_instance
    with: {instance: "${{ steps.machine.id }}"}
)y"}},
    {"marks-out-of-order",
     "The mark `failure` comes after what is measured from it.",
     "RTO and MTTD count from the beginning of the step that carries `failure` to the end of the one that carries "
     "`recovered` or `detected`. In another order there is nothing to measure.",
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [recovered]
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    marks: [recovered]
)y"}},
    {"keep-not-allowed",
     "What this step makes cannot be kept.",
     "`keep` lets a snapshot or an object outlive the run. A machine costs money every hour, so it is always given "
     "back; "
     "a step that makes nothing has nothing to keep.",
     {R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
    keep: 7d
)y"},
     kRental},
    {"limit-below-best-case",
     "The cost limit is below what the journey takes at best.",
     "The run would be stopped by its own limit after money was spent. Raise `limits.cost`, or lower the highest price "
     "that an offer may have.",
     {R"y(name: example
limits: {cost: $0.01, duration: 30m}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $8.00}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
  - id: ready
    uses: vast.wait_until_ready
    with: {instance: "${{ steps.machine.id }}"}
)y"},
     {R"y(name: example
limits: {cost: $0.25, duration: 30m}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
  - id: ready
    uses: vast.wait_until_ready
    with: {instance: "${{ steps.machine.id }}"}
)y"}},
    {"not-free",
     "A step of the preflight changes something.",
     "`run --quick` and every live run begin with the preflight, which must be free and only look. Move the step to "
     "`steps`.",
     {R"y(name: example
preflight:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
steps:
  - uses: vast.check_account
)y"},
     {R"y(name: example
preflight:
  - uses: vast.check_account
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"}},
    {"not-there",
     "A step will look for a file, a directory or a program that is not on this machine.",
     "It would end the run when the step comes to it, after all that was rented before. `failover plan` says what is "
     "missing where it is asked, `failover run` starts nothing; `validate` does not look, since another machine may "
     "run "
     "it. What an earlier step may make is not missed.",
     {R"y(name: example
steps:
  - uses: b2.put_object
    with: {bucket: drill-bucket, from: missing/model.bin}
)y"},
     {R"y(name: example
steps:
  - uses: local.exec
    with: {command: [make, missing/model.bin]}
  - uses: b2.put_object
    with: {bucket: drill-bucket, from: missing/model.bin}
)y"},
     Severity::warning},
    {"nothing-undoes",
     "Nothing can give back what this step makes.",
     "No rented machine may be left behind, so a step type must come with the undo of all that it makes. This build "
     "lacks one: it is a mistake of the program, not of the scenario, and all that is shipped passes a test for it.",
     {R"y(# with a build that can rent machines and not give them back
name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - id: machine
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"},
     kRental},
    {"never-answered",
     "A retry waits for a class of errors that its step type never ends with.",
     "`failover steps TYPE` lists the errors of a step type. A retry for any other is never used. Name the class that "
     "is "
     "meant.",
     {R"y(name: example
steps:
  - uses: http.check
    with: {url: "https://backend.example/health"}
    retry: {errors: [no_offer], attempts: 3}
)y"},
     {R"y(name: example
steps:
  - uses: http.check
    with: {url: "https://backend.example/health"}
    retry: {errors: [unavailable], attempts: 3}
)y"},
     Severity::warning},
    {"objective-without-mark",
     "An objective cannot be measured.",
     "`rto` is measured from the step that carries `failure` to the one that carries `recovered`, `mttd` from "
     "`failure` to `detected`; `rpo` by what lies between the first two. Put the marks on the steps where that "
     "happens.",
     {R"y(name: example
objectives: {rto: 5m}
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
)y"},
     {R"y(name: example
objectives: {rto: 5m}
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    marks: [recovered]
)y"}},
    {"objective-without-proof",
     "Nothing shows what was lost.",
     "`rpo` is how long before `failure` the earliest step began of whose files some are not shown to be there again. "
     "A "
     "checksum.verify shows them that begins at `failure` or behind it, ends at `recovered` or before it, and passes; "
     "with `must_fail` it shows nothing. Without one every run would miss it.",
     {R"y(name: example
objectives: {rpo: 0s}
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: local.exec
    with: {command: [date]}
    marks: [recovered]
)y"},
     {R"y(name: example
objectives: {rpo: 0s}
steps:
  - uses: local.exec
    with: {command: [date]}
    marks: [failure]
  - uses: checksum.verify
    with: {host: {host: gpu.example}, expect: drill.json}
    marks: [recovered]
)y"}},
    {"own-key",
     "A key of failover's own is none of a scenario's variables.",
     "Whoever wrote the scenario could send it to a rented machine, which is somebody else's computer. The steps have "
     "the keys that they need from the settings of who runs it.",
     {R"y(name: example
env: [B2_BUCKET, B2_APPLICATION_KEY]
steps:
  - uses: local.exec
    with: {command: [rclone, lsd, "b2:${{ env.B2_BUCKET }}", --b2-key, "${{ env.B2_APPLICATION_KEY }}"]}
)y"},
     {R"y(name: example
env: [B2_BUCKET]
steps:
  - uses: b2.check_bucket
    with: {bucket: "${{ env.B2_BUCKET }}"}
)y"}},
    {"rentals-above-limit",
     "The machines held at once may cost more than the limit.",
     "The limit is reserved before each rental, at the highest price and to the end of the run; the second one would "
     "be "
     "refused half-way. Raise `limits.cost`, lower the price, shorten `limits.duration`, or give the first one back "
     "earlier.",
     {R"y(name: example
limits: {cost: $0.50, duration: 1h}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"},
     {R"y(name: example
limits: {cost: $0.50, duration: 30m}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"}},
    {"rentals-may-exceed-limit",
     "The machines held at once may cost more than the limit: the run decides which there are.",
     "A rental below a `when` that only the run can decide may be made or not, and a giving back likewise, or in one "
     "branch of a race. Where all of them are held, one would be refused half-way. Raise `limits.cost`, lower the "
     "price, or let an input decide: what the inputs decide is "
     "known "
     "before the run.",
     {R"y(name: example
limits: {cost: $0.50, duration: 1h}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
  - when: steps.offer.count > 5
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"},
     {R"y(name: example
inputs: {spare: {type: boolean, default: false}}
limits: {cost: $0.50, duration: 1h}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
  - when: inputs.spare
    uses: vast.create_instance
    with: {offer: "${{ steps.offer.best.id }}", image: ubuntu, disk: 20 GB}
)y"},
     Severity::warning},
    {"rentals-not-counted",
     "A `foreach` rents a machine for each element of a list that only the run knows.",
     "A search answers with up to 64 offers. Each rental is reserved before it is made, so that the run stops at the "
     "limit of its money, half-way. Write `limits.cost` to say what all of them may cost, or name the elements.",
     {R"y(name: example
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - foreach: ${{ steps.offer.offers }}
    uses: vast.create_instance
    with: {offer: "${{ each.id }}", image: ubuntu, disk: 20 GB}
)y"},
     {R"y(name: example
limits: {cost: $5.00}
steps:
  - id: offer
    uses: vast.search_offers
    with: {gpu_name: RTX 4090, max_price: $0.40}
  - foreach: ${{ steps.offer.offers }}
    uses: vast.create_instance
    with: {offer: "${{ each.id }}", image: ubuntu, disk: 20 GB}
)y"},
     Severity::warning},
    {"secret-leak",
     "A secret would go where others can read it.",
     "Command lines stand in process lists, addresses and outputs in logs and reports. Secrets go into `env` of "
     "local.exec and `stdin` of ssh.exec, which nothing shows.",
     {R"y(name: example
env: {TOKEN: {secret: true}}
steps:
  - uses: local.exec
    with: {command: [curl, -H, "Authorization: ${{ env.TOKEN }}", http://localhost/]}
)y"},
     {R"y(name: example
env: {TOKEN: {secret: true}}
steps:
  - uses: local.exec
    with:
      command: [sh, -c, 'curl -H "Authorization: $TOKEN" http://localhost/']
      env: {TOKEN: "${{ env.TOKEN }}"}
)y"}},
    {"timeout-above-limit",
     "A step may take longer than the whole run.",
     "`limits.duration` ends the run before the timeout could, so the timeout does nothing. Shorten it, or raise the "
     "limit.",
     {R"y(name: example
limits: {duration: 10m}
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 20m
)y"},
     {R"y(name: example
limits: {duration: 30m}
steps:
  - uses: local.exec
    with: {command: [date]}
    timeout: 20m
)y"}},
};

}  // namespace

std::span<const Rule> journey_rules() { return kRules; }

}  // namespace failover::source

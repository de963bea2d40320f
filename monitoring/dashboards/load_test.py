"""Is the load what was meant, and what did it meet?"""

from typing import Final

from monitoring.dashboards import objectives
from monitoring.dashboards.boards import Board, Row, choice, several
from monitoring.dashboards.metrics import LOAD_LATENCY, LOAD_REQUESTS, LOADED, quantile
from monitoring.dashboards.panels import AMBER, GREEN, RED, TARGET_LEGEND, Chart, Query
from nlpserve import load_metrics as load
from nlpserve import metrics as own

_RATE: Final = "[$__rate_interval]"
_RUN: Final = "{{scenario}} {{run}}"
_SENT: Final = f"rate({LOAD_REQUESTS}{{{LOADED}}}{_RATE})"
_FAILED: Final = f'rate({LOAD_REQUESTS}{{{LOADED},{load.OUTCOME}!="{load.ANSWERED}"}}{_RATE})'
# No failure yet has no series, which is not the same as no load.
_FAILED_SHARE: Final = f"(sum({_FAILED}) or 0 * sum({_SENT})) / sum({_SENT})"
_INTENDED: Final = f"{load.INTENDED_RATE}{{{LOADED}}}"
# Over the same time as what was sent, or each rise of the rate would look like a miss.
_INTENDED_ON_AVERAGE: Final = f"avg_over_time({_INTENDED}{_RATE})"
_BUCKETS: Final = f"rate({LOAD_LATENCY}_bucket{{{LOADED}}}{_RATE})"


def _latency(share: float) -> str:
    return f"histogram_quantile({share}, sum by (le) ({_BUCKETS}))"


def _of_workers(metric: str) -> str:
    return f"{metric}{{{LOADED}}}"


NOW: Final = Row(
    "Does the load say anything?",
    (
        Chart(
            "Achieved of intended",
            "Requests a second that were sent, of those that the scenario asks for. Below"
            f" {objectives.RATE_SHARE:.0%} the run is INVALID: the generator is too small (see its"
            " CPU), or users wait for slow answers.",
            "percentunit",
            (Query(f"sum({_SENT}) / sum({_INTENDED_ON_AVERAGE} > 0)"),),
            "number",
            width=5,
            height=4,
            steps=((objectives.RATE_SHARE, GREEN),),
            base=RED,
        ),
        Chart(
            "Generator's CPU, fullest worker",
            f"Of its limit. From {objectives.GENERATOR_BUSY_SHARE:.0%} the latencies are the"
            " generator's own and the run is INVALID: give the scenario more workers.",
            "percentunit",
            (Query(f"max({_of_workers(load.CPU_RATIO)})"),),
            "number",
            width=5,
            height=4,
            steps=((0.7, AMBER), (objectives.GENERATOR_BUSY_SHARE, RED)),
        ),
        Chart(
            "Failures",
            "Share of the requests without the right answer, 503 among them. Which kind is below;"
            " shed is what the service turned away in order.",
            "percentunit",
            (Query(_FAILED_SHARE),),
            "number",
            width=5,
            height=4,
            steps=((0.0001, AMBER), (0.01, RED)),
        ),
        Chart(
            "Latency, 99 %",
            "From when the request was due to its whole answer: what a user feels. Above the"
            " objective: compare with the service's own time below.",
            "s",
            (Query(_latency(0.99)),),
            "number",
            width=5,
            height=4,
            steps=((objectives.WAIT_SECONDS, AMBER), (objectives.FAST_SECONDS, RED)),
        ),
        Chart(
            "Workers",
            "Pods that make load now. Fewer than the scenario has: one ended, read its log.",
            "short",
            (Query(f"count({_of_workers(load.USERS)})"),),
            "number",
            width=4,
            height=4,
        ),
    ),
)

LOAD: Final = Row(
    "What is sent",
    (
        Chart(
            "Rate",
            "Requests a second; the dashed line is what the scenario asks for. A gap that grows:"
            " the service is full (latency rises) or the generator is (its CPU is high).",
            "reqps",
            (
                Query(f"sum by (scenario, run) ({_SENT})", f"{_RUN} sent"),
                Query(f"sum by (scenario, run) ({_INTENDED})", f"{_RUN} {TARGET_LEGEND}"),
            ),
            width=12,
        ),
        Chart(
            "Users",
            "Users at work. Not the shape that the scenario draws: a worker came late or ended.",
            "short",
            (Query(f"sum by (scenario, run) ({_of_workers(load.USERS)})", _RUN),),
            width=12,
        ),
        Chart(
            "Outcomes that are failures",
            "Requests a second. shed: no room. timed_out, reset, refused: pods that went or hang,"
            " look at Autoscaling. status, wrong: an error of the service or of the scenario.",
            "reqps",
            (Query(f"sum by ({load.OUTCOME}) ({_FAILED})", "{{outcome}}"),),
            stacked=True,
        ),
        Chart(
            "Latency",
            "From when the request was due to its whole answer. Median flat and the 99 % rising:"
            " a queue that comes and goes; both rising: more comes than is answered.",
            "s",
            tuple(
                Query(_latency(share), name)
                for share, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
            ),
            steps=((objectives.FAST_SECONDS, RED),),
            logarithmic=True,
        ),
        Chart(
            "99 % as users and as the service see it",
            "What lies between them is the network, the wait for a connection, and the generator."
            " Wide apart with a busy generator: do not believe the users' line.",
            "s",
            (
                Query(_latency(0.99), "users"),
                Query(quantile(0.99, own.REQUEST_DURATION, "model"), "service {{model}}"),
            ),
            logarithmic=True,
        ),
    ),
)

GENERATOR: Final = Row(
    "The generator",
    (
        Chart(
            "CPU of the limit",
            "By worker. Above the line the run is INVALID: more workers, not a larger limit; a"
            " worker is one process.",
            "percentunit",
            (Query(_of_workers(load.CPU_RATIO), "{{run}} {{worker}}"),),
            most=1,
            steps=((objectives.GENERATOR_BUSY_SHARE, RED),),
        ),
        Chart(
            "Lag",
            "How late the event loop is. It is part of every latency: above the line the run is"
            " INVALID; the node is full, or the worker.",
            "s",
            (Query(_of_workers(load.LOOP_LAG), "{{run}} {{worker}}"),),
            steps=((objectives.GENERATOR_LAG_SECONDS, RED),),
        ),
        Chart(
            "Open connections",
            "To the service. Steps down at a rollout are pods that said goodbye; far fewer than"
            " users: they wait for a connection.",
            "short",
            (Query(f"sum by (scenario, run) ({_of_workers(load.OPEN_CONNECTIONS)})", _RUN),),
        ),
    ),
)

_SCENARIO: Final = several(choice("scenario", "Scenario", f"label_values({load.USERS}, scenario)"))
_SELECTED: Final = f'{load.USERS}{{scenario=~"$scenario"}}'

BOARD: Final = Board(
    "load-test",
    "nlpserve / Load test",
    "Users, rate against what was meant, latency, failures, and whether the generator kept up.",
    (NOW, LOAD, GENERATOR),
    (_SCENARIO, several(choice("run", "Run", f"label_values({_SELECTED}, run)"))),
)

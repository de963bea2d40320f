"""A dashboard: variables, annotations, links, and rows of charts on the grid."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    GridPos,
    Panel,
    RowPanel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from monitoring.dashboards.metrics import SERVED, Foreign
from monitoring.dashboards.panels import SOURCE, Chart
from nlpserve import load_metrics
from nlpserve import metrics as own

COLUMNS: Final = 24
TAG: Final = "nlpserve"
# The chart puts the value of prometheusRule.runbooks in its place.
RUNBOOKS: Final = "monitoring/runbooks.md"

# A pod's name ends with its ReplicaSet's hash and its own; before them is the Deployment's.
POD_NAME: Final = "/^(.+)-[a-z0-9]+-[a-z0-9]{5}$/"
# A ReplicaSet whose first pod answers is a rollout, or a step back.
_HASHES = (
    "count by (namespace, model, replicaset, version) (label_replace("
    f'{own.MODEL_INFO}{{{SERVED}}}%s, "replicaset", "$1", "pod", "(.+)-[a-z0-9]{{5}}"))'
)
ROLLOUTS: Final = f"{_HASHES % ''} unless {_HASHES % ' offset 1m'}"
FIRING: Final = (
    f'{Foreign.ALERTS}{{alertstate="firing",alertname=~"Nlpserve.+",namespace=~"$namespace|"}}'
)
LOADS: Final = f"count by (scenario, run) ({load_metrics.USERS})"

Variable: TypeAlias = Builder[VariableModel]


@dataclass(frozen=True)
class Row:
    """Charts under one heading, from left to right, in lines of 24 columns."""

    title: str
    charts: Sequence[Chart]


@dataclass(frozen=True)
class Board:
    """One dashboard. `own_variables` come after those of all."""

    name: str
    title: str
    description: str
    rows: Sequence[Row]
    own_variables: Sequence[Variable] = ()
    one_model: bool = False

    def build(self) -> Dashboard:
        """The dashboard as Grafana's model has it."""
        builder = (
            build.Dashboard(self.title)
            .uid(f"nlpserve-{self.name}")
            .description(self.description)
            .tags([TAG])
            .editable()
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .time("now-1h", "now")
            .timezone("browser")
            .refresh("30s")
            .variables([*_shared_variables(one_model=self.one_model), *self.own_variables])
            .annotations([_annotation("Rollouts", ROLLOUTS, "blue")])
            .annotation(_annotation("Alerts", FIRING, "red"))
            .annotation(_annotation("Load tests", LOADS, "purple"))
            .link(_link())
        )
        dashboard = builder.build()
        dashboard.panels = list(_place(self.rows))
        return dashboard


def _place(rows: Sequence[Row]) -> list[Panel | RowPanel]:
    panels: list[Panel | RowPanel] = []
    top = 0
    for row in rows:
        number = len(panels) + 1
        place = GridPos(x=0, y=top, w=COLUMNS, h=1)
        panels.append(RowPanel(title=row.title, id_val=number, grid_pos=place))
        top, left, tallest = top + 1, 0, 0
        for chart in row.charts:
            if left + chart.width > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            panels.append(chart.build(len(panels) + 1, left, top))
            left += chart.width
            tallest = max(tallest, chart.height)
        top += tallest
    return panels


def choice(name: str, label: str, query: str) -> build.QueryVariable:
    """A variable whose values Prometheus knows."""
    variable = build.QueryVariable(name).label(label).datasource(SOURCE)
    variable = variable.query({"query": query, "refId": name, "qryType": 1})
    return variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(
        VariableSort.ALPHABETICAL_ASC
    )


def several(variable: build.QueryVariable) -> build.QueryVariable:
    """Any number of its values, at first all."""
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return variable.multi(multi=True).include_all(include_all=True).current(everything)


def workloads() -> build.QueryVariable:
    """Deployments that serve the models, read off the names of the pods that answer."""
    found = f"label_values({own.MODEL_INFO}{{{SERVED}}}, pod)"
    return several(choice("workload", "Deployment", found).regex(POD_NAME))


def _shared_variables(*, one_model: bool) -> list[Variable]:
    namespace = choice("namespace", "Namespace", f"label_values({own.MODEL_INFO}, namespace)")
    model = choice(
        "model", "Model", f'label_values({own.MODEL_INFO}{{namespace=~"$namespace"}}, model)'
    )
    return [
        build.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        # Where Prometheus puts no such label on the pods, all of them still match.
        several(namespace).all_value(".*"),
        model if one_model else several(model),
        build.ConstantVariable("runbooks").value(RUNBOOKS),
    ]


def _annotation(name: str, query: str, colour: str) -> build.AnnotationQuery:
    annotation = build.AnnotationQuery().name(name).datasource(SOURCE).enable(enable=True)
    return annotation.icon_color(colour).expr(query)


def _link() -> build.DashboardLink:
    link = build.DashboardLink("nlpserve").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return (
        link.as_dropdown(as_dropdown=False)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )

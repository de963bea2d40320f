"""Panels with the defaults of all dashboards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    prometheus,
    stat,
    table,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import timeseries as lines
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    ScaleDistribution,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    GridPos,
    MatcherConfig,
    Panel,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, AMBER, RED, PLAIN = "green", "orange", "red", "text"
TARGET_LEGEND: Final = "target"
"""Series of this name are drawn as a dashed line: something to compare with."""

Steps: TypeAlias = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Query:
    """PromQL and what its series are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Chart:
    """One panel. `steps` are thresholds: from which value on, which colour; `base` below.

    A number without steps says nothing of good or bad, and has the colour of text.

    `alert` is the one whose runbook says what to do.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    kind: str = "lines"
    width: int = 8
    height: int = 8
    steps: Steps = ()
    most: float | None = None
    stacked: bool = False
    logarithmic: bool = False
    base: str = GREEN
    alert: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def build(self, number: int, left: int, top: int) -> Panel:
        """The panel at its place."""
        makers = {"lines": _lines, "number": _number, "bars": _bars, "heat": _heat, "table": _table}
        panel = makers[self.kind](self).build()
        panel.id_val = number
        panel.title = self.title
        panel.description = self.description
        panel.datasource = SOURCE
        panel.grid_pos = GridPos(x=left, y=top, w=self.width, h=self.height)
        if self.alert:
            link = build.DashboardLink("Runbook").type(DashboardLinkType.LINK)
            # A heading's address is in small letters.
            link = link.url(f"${{runbooks}}#{self.alert.lower()}").target_blank(target_blank=True)
            panel.links = [link.build()]
        return panel


def thresholds(steps: Steps, base: str) -> build.ThresholdsConfig:
    """Colours by value."""
    colours = [Threshold(value=None, color=base)]
    colours += [Threshold(value=value, color=colour) for value, colour in steps]
    return build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(colours)


def _targets(
    chart: Chart, *, instant: bool = False, shape: PromQueryFormat = PromQueryFormat.TIME_SERIES
) -> list[Builder[Dataquery]]:
    targets: list[Builder[Dataquery]] = []
    for letter, query in zip("ABCDEFGH", chart.queries, strict=False):
        target = prometheus.Dataquery().ref_id(letter).datasource(SOURCE).format(shape)
        target = target.expr(query.expression).legend_format(query.legend)
        targets.append(target.instant() if instant else target.range())
    return targets


def _lines(chart: Chart) -> lines.Panel:
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
        .calcs(["lastNotNull", "max"])
    )
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    panel = (
        lines.Panel()
        .targets(_targets(chart))
        .unit(chart.unit)
        .min(0)
        .line_width(2)
        .fill_opacity(60 if chart.stacked else 8)
        .show_points(VisibilityMode.NEVER)
        .legend(legend)
        .tooltip(tooltip)
    )
    if chart.most is not None:
        panel = panel.max(chart.most)
    if chart.stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if chart.logarithmic:
        scale = common.ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10)
        panel = panel.scale_distribution(scale)
    if chart.steps:
        style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(thresholds(chart.steps, "transparent")).thresholds_style(style)
    dashed = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})
    bare = DynamicConfigValue("custom.fillOpacity", 0)
    matcher = MatcherConfig(id_val="byRegexp", options=f".*{TARGET_LEGEND}$")
    return panel.with_override(matcher, [dashed, bare])


def _number(chart: Chart) -> stat.Panel:
    """What is true now: of a range Grafana would show the last value of what has vanished."""
    panel = (
        stat.Panel()
        .targets(_targets(chart, instant=True))
        .unit(chart.unit)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(thresholds(chart.steps, chart.base if chart.steps else PLAIN))
    )
    return panel.max(chart.most) if chart.most is not None else panel


def _bars(chart: Chart) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .targets(_targets(chart, instant=True))
        .unit(chart.unit)
        .min(0)
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(thresholds(chart.steps, chart.base))
    )


def _heat(chart: Chart) -> heatmap.Panel:
    colour = heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges").steps(64)
    return (
        heatmap.Panel()
        .targets(_targets(chart, shape=PromQueryFormat.HEATMAP))
        .unit(chart.unit)
        .calculate(calculate=False)
        .color(colour)
        .y_axis(heatmap.YAxisConfig().unit(chart.unit))
        .cell_gap(1)
    )


def _table(chart: Chart) -> table.Panel:
    """The columns are labels: those named in `columns`, in its order; the value comes last."""
    order = {name: place for place, name in enumerate(chart.columns)}
    keep = DataTransformerConfig("filterFieldsByName", options={"include": {"names": list(order)}})
    names = DataTransformerConfig(
        "organize",
        options={"indexByName": order, "renameByName": dict(chart.columns), "excludeByName": {}},
    )
    return (
        table.Panel()
        .targets(_targets(chart, instant=True, shape=PromQueryFormat.TABLE))
        .unit(chart.unit)
        .transformations([keep, names])
    )

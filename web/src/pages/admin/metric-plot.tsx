/** One measure over the models' history as a line, the serving model filled. */
import type { Metric, Model } from "@/api/types";
import { date } from "@/lib/format";
import { locale } from "@/strings";

const WIDTH = 900;
const HEIGHT = 220;
const MARGIN = { left: 56, right: 24, top: 16, bottom: 28 };
const figure = new Intl.NumberFormat(locale, { maximumFractionDigits: 3, minimumFractionDigits: 3 });

export function figureOf(metrics: Metric[], name: string): number | undefined {
  return metrics.find((metric) => metric.name === name)?.value;
}

/** Of these less is better: of time, and of what is uneven or not as the viewer's own. */
export const isLessBetter = (name: string): boolean => /^(gini@|miscalibration@|serve_us$)/.test(name);

/** The settings of the model before that are others now, as they were. */
export function changedSettings(settings: Metric[], before: Metric[]): Metric[] {
  return before.filter(({ name, value }) => {
    const now = figureOf(settings, name);
    return now !== undefined && now !== value;
  });
}

export interface Point {
  x: number;
  y: number;
  value: number;
  model: Model;
}

/** The models that have the measure, oldest first, evenly spaced, on a scale that does not exaggerate. */
export function pointsOf(models: Model[], metric: string): { points: Point[]; low: number; high: number } {
  const known = models
    .filter((model) => figureOf(model.metrics, metric) !== undefined)
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
  const values = known.map((model) => figureOf(model.metrics, metric) ?? 0);
  const low = Math.min(...values) * 0.9;
  const high = Math.max(...values) * 1.05 || 1;
  const across = (WIDTH - MARGIN.left - MARGIN.right) / Math.max(1, known.length - 1);
  const points = known.map((model, index) => {
    const value = figureOf(model.metrics, metric) ?? 0;
    const share = high === low ? 0.5 : (value - low) / (high - low);
    return {
      x: MARGIN.left + index * across,
      y: HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom),
      value,
      model,
    };
  });
  return { points, low, high };
}

export function MetricPlot({ metric, models }: { metric: string; models: Model[] }) {
  const { points, low, high } = pointsOf(models, metric);
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last) return null;
  const lines = [0, 0.5, 1].map((share) => ({
    share,
    y: HEIGHT - MARGIN.bottom - share * (HEIGHT - MARGIN.top - MARGIN.bottom),
    value: low + share * (high - low),
  }));
  const summary = `${metric}: ${points.map((point) => `${date(point.model.created_at)} ${figure.format(point.value)}`).join("; ")}`;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={summary}>
      {lines.map((line) => (
        <g key={line.share}>
          <line x1={MARGIN.left} x2={WIDTH - MARGIN.right} y1={line.y} y2={line.y} stroke="#2c2925" />
          <text x={MARGIN.left - 10} y={line.y + 4} textAnchor="end">
            {figure.format(line.value)}
          </text>
        </g>
      ))}
      <polyline
        points={points.map((point) => `${point.x},${point.y}`).join(" ")}
        fill="none"
        stroke="#f2b347"
        strokeWidth="2"
        strokeLinejoin="round"
      />
      {points.map((point) => (
        <circle
          key={point.model.id}
          cx={point.x}
          cy={point.y}
          r={point.model.state === "active" ? 6 : 4.5}
          fill={point.model.state === "active" ? "#f2b347" : point.model.state === "refused" ? "#e5735c" : "#1a1815"}
          stroke={point.model.state === "refused" ? "#e5735c" : "#f2b347"}
          strokeWidth="2"
        />
      ))}
      <text x={first.x} y={HEIGHT - 6}>
        {date(first.model.created_at)}
      </text>
      {last !== first && (
        <text x={last.x} y={HEIGHT - 6} textAnchor="end">
          {date(last.model.created_at)}
        </text>
      )}
    </svg>
  );
}
